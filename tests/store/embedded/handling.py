"""What the tests of the embedded PostgreSQL have in common: servers, processes, and looking at them."""

import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ParamSpec, cast

import psycopg2
import pytest
import pytest_twisted
from attrs import define, field
from psycopg2.extensions import parse_dsn
from twisted.internet import reactor as installed  # these tests are about real time and processes

from flexid.store.embedded import EmbeddedServer
from flexid.store.embedded.processes import pause

P = ParamSpec("P")

REPOSITORY = Path(__file__).parents[3]
LAUNCHER = Path(__file__).with_name("launcher.py")
ORDINARY_USER = "nobody"

Servers = Callable[..., EmbeddedServer]

reactor: Any = installed

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user, or mount")


def asynchronous(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Run a test on the reactor."""
    return cast("Callable[P, None]", pytest_twisted.ensureDeferred(test))


def ask(dsn: str, sql: str) -> Any:
    """Return the first value that a statement gives, on a connection of its own."""
    connection = psycopg2.connect(dsn)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(sql)
            row = cursor.fetchone() if cursor.description else None
            return row[0] if row else None
    finally:
        connection.close()


def postmaster_pid(data_dir: Path) -> int:
    (file,) = data_dir.glob("postgresql-*/postmaster.pid")
    return int(file.read_text().split()[0])


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


async def until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    """Wait until a condition holds; fail when it does not in time."""
    deadline = reactor.seconds() + seconds
    while not condition():
        assert reactor.seconds() < deadline, "it did not happen in time"
        await pause(reactor, 0.005)


def answers(dsn: str) -> bool:
    try:
        return bool(ask(dsn, "SELECT 1") == 1)
    except psycopg2.OperationalError:
        return False


def cluster_of(data_dir: Path) -> Path:
    (cluster,) = data_dir.glob("postgresql-*[0-9]")
    return cluster


def socket_directory(dsn: str) -> Path:
    return Path(parse_dsn(dsn)["host"])


def make_directory(path: Path, mode: int) -> None:
    path.mkdir()
    path.chmod(mode)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def runs(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def executable_of(pid: int) -> Path:
    return Path(f"/proc/{pid}/exe").resolve()


def owner_of_process(pid: int) -> int:
    return Path(f"/proc/{pid}").stat().st_uid


def server_log(data_dir: Path) -> str:
    log = data_dir / "postgresql.log"
    return log.read_text() if log.exists() else ""


def give(path: Path, user: str) -> None:
    """Make a path, and all below it, a user's."""
    command("chown", "--recursive", user, str(path))


def command(name: str, *arguments: str) -> None:
    subprocess.run([shutil.which(name) or name, *arguments], check=True)


@contextmanager
def program_of_the_owner(path: Path, name: str, *arguments: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a program as the owner of a path, until it is left alone."""
    owner = path.stat()
    step_down = [f"--reuid={owner.st_uid}", f"--regid={owner.st_gid}", "--clear-groups"] if os.geteuid() == 0 else []
    argv = [shutil.which("setpriv") or "setpriv", *step_down, shutil.which(name) or name, *arguments]
    with subprocess.Popen(argv, stderr=subprocess.DEVNULL) as program:
        try:
            yield program
        finally:
            program.terminate()


@define
class Process:
    """Another process that starts an embedded server."""

    popen: "subprocess.Popen[str]"
    said: dict[str, Any] = field(factory=dict)

    def answer(self) -> dict[str, Any]:
        """Wait for what it has to say about its start."""
        if not self.said:
            assert self.popen.stdout
            self.said = json.loads(self.popen.stdout.readline())
        return self.said

    def dsn(self) -> str:
        return str(self.answer()["dsn"])

    def end(self) -> None:
        self.popen.communicate(timeout=20)


@define
class Processes:
    shared: Path
    site_packages: Path | None
    started: list[Process] = field(factory=list)

    def start(self, data_dir: Path, *options: str, user: str | None = None) -> Process:
        """Start a server in another process, as another user if one is named."""
        if user:
            options = (*options, "--user", user)
            if self.site_packages and "--site-packages" not in options:
                options = (*options, "--site-packages", str(self.site_packages))
        popen = subprocess.Popen(
            [sys.executable, str(LAUNCHER), str(data_dir), "--shared", str(self.shared), *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(REPOSITORY), *sys.path])},
        )
        self.started.append(Process(popen))
        return self.started[-1]
