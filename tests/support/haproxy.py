"""Debian's HAProxy before two nodes, configured as docs/scaling.md has it."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path

from attrs import define, field
from support.flexid_process import ADDRESS, free_port, wait_until

CONFIGURATION = """\
global
    stats socket {folder}/admin
    maxconn 2000

defaults
    mode http
    timeout connect 2s
    timeout client 60s
    timeout server 60s
    timeout http-request 10s
    timeout check 5s
    retries 3
    option redispatch
    option forwardfor

frontend accounts
    bind {address}:{port}
    default_backend flexid

backend flexid
    balance leastconn
    option httpchk
    http-check send meth GET uri /health/ready ver HTTP/1.1 hdr Host localhost
    default-server check inter 200ms fall 2 rise 2
{servers}
"""


@define
class HAProxy:
    """A balancer before ports of this machine."""

    folder: Path
    backends: Sequence[int]
    port: int = field(factory=free_port)
    _process: subprocess.Popen[bytes] | None = None

    @staticmethod
    def program() -> str | None:
        """Return where it is installed."""
        return shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin:/usr/bin")

    def start(self) -> None:
        """Start, and wait until all backends are well."""
        servers = "\n".join(f"    server node{n} {ADDRESS}:{port}" for n, port in enumerate(self.backends, 1))
        file = self.folder / "haproxy.cfg"
        file.write_text(CONFIGURATION.format(folder=self.folder, address=ADDRESS, port=self.port, servers=servers))
        program = self.program()
        assert program
        # If the tests are killed, it goes with them.
        command = ["setpriv", "--pdeathsig=TERM", program, "-db", "-q", "-f", str(file)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        for number in range(1, len(self.backends) + 1):
            self.wait_for(number, up=True)

    def stop(self) -> None:
        """Stop."""
        if self._process:
            self._process.terminate()
            self._process.wait()

    def wait_for(self, number: int, *, up: bool) -> None:
        """Wait until it takes a backend for well, or not."""
        wait_until(lambda: self._is_up(number) is up, lambda: self._ask("show stat"))

    def _is_up(self, number: int) -> bool:
        rows = [line.split(",") for line in self._ask("show stat").splitlines()]
        return any(row[:2] == ["flexid", f"node{number}"] and row[17] == "UP" for row in rows if len(row) > 17)

    def _ask(self, command: str) -> str:
        try:
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(str(self.folder / "admin"))
                client.sendall(command.encode() + b"\n")
                return b"".join(iter(lambda: client.recv(1 << 16), b"")).decode()
        except OSError:
            return ""
