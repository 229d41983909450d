"""Runs linphone-daemon where nobody else does: with the folders that it needs, again when it dies."""

# Twisted's code for processes has no types.
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ProcessExitedAlready
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure

SHORTEST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Seconds until it is started again."""
LONG_LIFE = 60.0
"""Seconds; one that lived for so long is started again at once."""
STOP_SECONDS = 5.0
SOCKETS = "/tmp"  # noqa: S108  # where linphone-daemon 5.1 puts them, whatever it is told
FOLDERS = (".local/share/linphone", ".config/linphone")
"""Below its home. Without them it starts, and crashes at the first message."""
MOST_OUTPUT = 500
"""Characters of what it said last that are logged."""


class Supervisor:
    """A child process that lives as long as it is wanted."""

    log = Logger()

    def __init__(
        self, reactor: Any, command: Sequence[str], socket: str, home: Path, environment: Mapping[str, str]
    ) -> None:
        """`socket` is the full path of the daemon's socket; below `home` it keeps its own files."""
        self._reactor = reactor
        self._argv = command_line(command, socket)
        self._socket = Path(socket)
        self._home = home
        self._environment = {**environment, "HOME": str(home.absolute())}
        self._wanted = False
        self._pause = SHORTEST_PAUSE
        self._began = 0.0
        self._process: Any = None
        self._ended: Deferred[None] = succeed(None)
        self._again: Any = None

    def start(self) -> None:
        """Run the daemon from now on."""
        self._wanted = True
        self._launch()

    async def stop(self) -> None:
        """Let it write down its configuration and end; kill it if it does not."""
        self._wanted = False
        if self._again and self._again.active():
            self._again.cancel()
        if self._process:
            self._signal("INT")
            late = self._reactor.callLater(STOP_SECONDS, self._signal, "KILL")
            await self._ended
            if late.active():
                late.cancel()

    def _launch(self) -> None:
        self._began = self._reactor.seconds()
        self._ended = Deferred()
        try:
            for folder in FOLDERS:
                (self._home / folder).mkdir(mode=0o700, parents=True, exist_ok=True)
            # Releases differ in where they look for the socket: a path relative to this folder is right for all.
            self._process = self._reactor.spawnProcess(
                _Child(self._exited), self._argv[0], self._argv, self._environment, SOCKETS
            )
        except OSError as error:
            self._exited("not started", str(error))

    def _signal(self, name: str) -> None:
        with suppress(ProcessExitedAlready):
            self._process.signalProcess(name)

    def _exited(self, how: str, said: str) -> None:
        self._process = None
        if self._wanted:
            self.log.warn("linphone-daemon has ended ({how}): {said}", how=how, said=said)
            lived_long = self._reactor.seconds() - self._began > LONG_LIFE
            self._pause = SHORTEST_PAUSE if lived_long else min(2 * self._pause, LONGEST_PAUSE)
            self._again = self._reactor.callLater(self._pause, self._launch)
        self._ended.callback(None)


def command_line(command: Sequence[str], socket: str) -> list[str]:
    """Return what is run: the command with its socket, ended by the kernel if we are killed."""
    program, *options = command
    found = shutil.which(program) or program
    if "--pipe" not in options:
        options += ["--pipe", os.path.relpath(socket, SOCKETS)]
    guard = shutil.which("setpriv")
    return [*([guard, "--pdeathsig", "INT"] if guard else []), found, *options]


class _Child(ProcessProtocol):
    """One run of the daemon, and the last words of it."""

    transport: Any = None

    def __init__(self, exited: Any) -> None:
        self._exited = exited
        self._said = b""

    def connectionMade(self) -> None:  # noqa: N802  # Twisted's name
        """Let nobody type: where it cannot have its socket it waits for commands."""
        self.transport.closeStdin()

    def errReceived(self, data: bytes) -> None:  # noqa: N802  # as above
        """Keep what it complained of last; on its standard output are messages of people."""
        self._said = (self._said + data)[-MOST_OUTPUT:]

    def processEnded(self, reason: Failure) -> None:  # noqa: N802  # as above
        """Tell how it ended."""
        status: Any = reason.value
        how = f"signal {status.signal}" if status.signal else f"exit code {status.exitCode}"
        self._exited(how, self._said.decode(errors="replace").strip())
