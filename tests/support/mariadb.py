"""Debian's MariaDB, in a folder of its own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pymysql
import pytest
from attrs import define, field
from support.postgres import wait_until

USER = "mysql"
SERVER = "/usr/sbin/mariadbd"


@define
class MariaDb:
    """A server that listens on a UNIX socket only."""

    folder: Path = field(factory=lambda: Path(tempfile.mkdtemp(prefix="mariadb-", dir="/tmp")))  # short, for the socket
    _process: subprocess.Popen[bytes] | None = None
    _numbers: Iterator[int] = field(factory=lambda: count(1))

    @property
    def socket(self) -> str:
        return f"{self.folder}/s"

    def start(self) -> None:
        """Make the data directory, start, and wait until it answers."""
        identity = [f"--user={USER}"] if os.geteuid() == 0 else []
        if identity:
            shutil.chown(self.folder, USER)
        made = subprocess.run(
            ["mariadb-install-db", "--no-defaults", f"--datadir={self.folder}/data", *identity,
             "--auth-root-authentication-method=normal", "--skip-test-db"],
            capture_output=True, check=False,
        )  # fmt: skip
        assert made.returncode == 0, made.stderr.decode()
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig=TERM", SERVER, "--no-defaults", f"--datadir={self.folder}/data", *identity,
                 f"--socket={self.socket}", "--skip-networking", "--innodb-flush-log-at-trx-commit=0",
                 "--innodb-flush-method=nosync"],
                stdout=log, stderr=log,
            )  # fmt: skip
        wait_until(self._answers, lambda: (self.folder / "log").read_text()[-2000:])

    def remove(self) -> None:
        """Stop it, and leave nothing behind."""
        if self._process:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self.folder)

    def connect(self, database: str | None = None) -> Any:
        return pymysql.connect(
            user="root", unix_socket=self.socket, database=database, charset="utf8mb4", autocommit=True
        )

    def create_database(self) -> str:
        """Return the name of a new database, in which texts are in latin1 unless their table says otherwise."""
        name = f"upstream_{next(self._numbers)}"
        connection = self.connect()
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name} CHARACTER SET latin1")
        connection.close()
        return name

    def url(self, database: str) -> str:
        return f"mysql://root@localhost/{database}?unix_socket={quote(self.socket, safe='')}"

    def _answers(self) -> bool:
        assert self._process
        assert self._process.poll() is None, (self.folder / "log").read_text()[-2000:]
        with socket.socket(socket.AF_UNIX) as asking, suppress(OSError):
            asking.connect(self.socket)
            return True
        return False


@contextmanager
def running() -> Iterator[MariaDb]:
    """Run a server for a while."""
    if not Path(SERVER).exists():
        pytest.skip("Debian's mariadb-server is not installed")
    server = MariaDb()
    try:
        server.start()
        yield server
    finally:
        server.remove()
