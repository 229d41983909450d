"""The server process that we started ourselves."""

from __future__ import annotations

import os
import shutil
import signal

from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

from flexid.store.embedded.cluster import Cluster
from flexid.store.embedded.pidfile import Postmaster, running_postmaster
from flexid.store.embedded.processes import Reactor, pause, spawn
from flexid.store.embedded.server_log import ServerLog
from flexid.store.embedded.sockets import PORT
from flexid.store.embedded.troubles import complaint, trouble

SETTINGS = {
    "max_connections": "100",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "unix_socket_permissions": "0700",
    "random_page_cost": "1.1",  # an index in memory or on an SSD, not on a turning disk
    "jit": "off",  # compiling takes longer than any statement of ours
    "log_min_messages": "log",  # refused statements reach whoever sent them
    "log_checkpoints": "off",
    "cluster_name": "flexid",
}

POLL_SECONDS = 0.005
LONGEST_RECOVERY = 300.0
"""Seconds; after a crash a server replays its log before it is ready."""
FAST_STOP = 30.0
"""Seconds that a server may take to write down all it has in memory; then it is told to drop that."""
IMMEDIATE_STOP = 5.0
LAST_WORDS = 1.0
"""Seconds to wait for what an ended process wrote; children that outlive it keep the pipe open."""


class Child(ProcessProtocol):
    """A server that we launch: its process, and what it says."""

    def __init__(self, reactor: Reactor, cluster: Cluster) -> None:
        self._reactor = reactor
        self._cluster = cluster
        self._log = ServerLog(cluster.log_file, cluster.runner)
        self._said = b""
        self._silent = False
        self.running = True
        self._pid = spawn(reactor, self, command_line(cluster))

    def errReceived(self, data: bytes) -> None:  # noqa: N802  # Twisted's name
        """Keep what it says for the log, and its end for our reasons."""
        self._log.write(data)
        self._said = (self._said + data)[-4000:]

    def processExited(self, reason: Failure) -> None:  # noqa: ARG002, N802  # Twisted's name and signature
        """Take note of its end, whether or not its own children still live."""
        self.running = False

    def processEnded(self, reason: Failure) -> None:  # noqa: ARG002, N802  # Twisted's name and signature
        """Take note that nobody is left to say anything."""
        self._silent = True

    @property
    def complaint(self) -> str:
        """What it said last that matters."""
        return complaint(self._said.decode(errors="replace"))

    async def ready(self) -> Postmaster | None:
        """Return the server when it takes connections; nothing if it ended instead.

        :raise Unavailable: it is not ready after a long time.
        """
        deadline = self._reactor.seconds() + LONGEST_RECOVERY
        while self.running:
            found = running_postmaster(self._cluster.path)
            if found and found.pid == self._pid and found.status == "ready":
                return found
            if self._reactor.seconds() > deadline:
                problem = f"not ready after {LONGEST_RECOVERY:.0f} seconds, see {self._cluster.log_file}"
                raise trouble(self._cluster.path, self._cluster.runner.name, problem)
            await pause(self._reactor, POLL_SECONDS)
        deadline = self._reactor.seconds() + LAST_WORDS
        while not self._silent and self._reactor.seconds() < deadline:
            await pause(self._reactor, POLL_SECONDS)
        return None

    def interrupt(self) -> None:
        """Ask it to end sessions, write down everything and end ("fast shutdown")."""
        self._signal(signal.SIGINT)

    async def stop(self) -> None:
        """End it, the clean way first, and wait until it has ended."""
        for number, seconds in (
            (signal.SIGINT, FAST_STOP),
            (signal.SIGQUIT, IMMEDIATE_STOP),
            (signal.SIGKILL, IMMEDIATE_STOP),
        ):
            self._signal(number)
            deadline = self._reactor.seconds() + seconds
            while self.running and self._reactor.seconds() < deadline:
                await pause(self._reactor, POLL_SECONDS)

    def _signal(self, number: signal.Signals) -> None:
        if self.running:
            os.kill(self._pid, number)


def command_line(cluster: Cluster) -> list[str]:
    """Return what starts the server.

    It gets a session of its own: a Ctrl-C on our terminal is for us, and we stop it when the last request is answered.
    """
    options = [option for name, value in SETTINGS.items() for option in ("-c", f"{name}={value}")]
    place = ["-D", str(cluster.path), "-k", str(cluster.socket_directory), "-h", "", "-p", str(PORT)]
    server = cluster.runner.argv(cluster.binaries.program("postgres"), *place, *options)
    return [shutil.which("setsid") or "/usr/bin/setsid", *server]
