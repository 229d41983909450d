"""The wheel, built and installed as the Dockerfile does it, far from the repository."""

from __future__ import annotations

import os
import re
import shutil
import signal
import site
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import frozen
from shipping import dockerfile
from support.flexid_process import ADDRESS, PATIENCE, Caller, free_port
from support.postgres import Postgres

ROOT = Path(__file__).parents[2]
HEARD = 4096


@frozen
class Machine:
    """What the Dockerfile names by absolute paths lies in `root`."""

    root: Path

    @property
    def programs(self) -> Path:
        return self.root / "opt/flexid/bin"

    @property
    def packages(self) -> Path:
        (found,) = (self.root / "opt/flexid/lib").glob("python*/site-packages")
        return found

    def run(self, command: str, **environment: str) -> None:
        """Do a step of the Dockerfile."""
        moved = re.sub(r"(?<![\w./])/(opt/flexid|src|wheels)", rf"{self.root}/\1", command)
        done = subprocess.run(
            ["sh", "-ec", moved], cwd=self.root, env=os.environ | environment, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode()


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    machine = Machine(tmp_path_factory.mktemp("machine"))
    source = machine.root / "src"
    source.mkdir()
    for name in dockerfile.copied():
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, source)
    making, installing = dockerfile.read().build_runs
    machine.run(making)
    # Fifty packages would be installed once more: those of the tests are lent, and found after what is its own.
    (machine.packages / "lent.pth").write_text(f"{site.getsitepackages()[0]}\n")
    machine.run(installing, PIP_NO_DEPS="1", PIP_IGNORE_INSTALLED="1")
    return machine


@frozen
class Served:
    """A flexid that runs there, as the container runs it."""

    process: subprocess.Popen[bytes]
    port: int
    supervisor: socket.socket
    log: Path

    def caller(self) -> Caller:
        return Caller(self.port, "localhost")

    def heard(self) -> list[str]:
        """What it tells its supervisor next."""
        return self.supervisor.recv(HEARD).decode().splitlines()


@pytest.fixture(scope="module")
def served(machine: Machine, postgres: Postgres) -> Iterator[Served]:
    home = machine.root / "home"
    home.mkdir()
    port = free_port()
    dsn = postgres.create_database()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        name = f"flexid-test-{port}"
        supervisor.bind(f"\0{name}")
        supervisor.settimeout(PATIENCE)
        file = dockerfile.read()
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("FLEXID_", "PYTHON"))}
        environment |= {
            **file.environment,
            "PATH": f"{machine.programs}:{os.environ['PATH']}",
            "FLEXID_DATA_DIR": str(home),
            "FLEXID_DATABASE_URL": dsn,
            "FLEXID_LISTEN_HTTP": f"tcp:{port}:interface={ADDRESS}",
            "NOTIFY_SOCKET": f"@{name}",
        }
        log = machine.root / "log"
        with log.open("wb") as stream:
            process = subprocess.Popen(["flexid", "run"], cwd=home, env=environment, stdout=stream, stderr=stream)
        try:
            yield Served(process, port, supervisor, log)
        finally:
            process.kill()
            process.wait()
            postgres.drop_database(dsn)


def test_all_that_it_needs_is_inside(machine: Machine) -> None:
    package, source = machine.packages / "flexid", machine.root / "src"
    for name in ("templates", "static", "locales", "examples"):
        ours = {path.relative_to(source) for path in (source / name).rglob("*") if path.is_file()}
        assert ours
        assert {path for path in ours if not (package / path).is_file()} == set()
    migrations = {path.name for path in (source / "flexid/store/migrations").glob("*.sql")}
    assert {path.name for path in (package / "store/migrations").glob("*.sql")} == migrations
    assert (machine.packages / "twisted/plugins/flexid_plugin.py").is_file()
    assert not (machine.packages / "twisted/plugins/__init__.py").exists()
    assert not (machine.packages / "tests").exists()


def test_it_serves_reads_again_and_ends_and_says_so(machine: Machine, served: Served) -> None:
    assert served.heard()[0] == "READY=1", served.log.read_text()
    where = "import flexid; print(flexid.__file__)"
    asked = subprocess.run(
        [machine.programs / "python", "-c", where], cwd=machine.root, capture_output=True, text=True, check=True
    )
    assert asked.stdout.startswith(str(machine.packages))
    health = [word.replace(":8080", f":{served.port}") for word in dockerfile.read().health_check]
    subprocess.run([machine.programs / health[0], *health[1:]], check=True)
    assert served.caller().get("/health/ready").status == 200
    served.process.send_signal(signal.SIGHUP)
    assert served.heard()[0] == "RELOADING=1"
    assert served.heard() == ["READY=1"]
    served.process.terminate()
    assert served.heard()[0] == "STOPPING=1"
    assert served.process.wait(PATIENCE) == -signal.SIGTERM
