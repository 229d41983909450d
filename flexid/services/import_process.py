"""The process that works on an import, as the daemon sees it."""

# Twisted's code for processes has no types.
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessExitedAlready
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure

from flexid.services.import_worker import FILE, Order

log = Logger()

STDOUT = 1
MODULE = "flexid.services.import_worker"
SECONDS = 1800.0
"""How long an import may take before its process is killed."""
MOST_SAID = 2000
"""Characters of an error that are kept."""


class ImportBroken(Exception):  # noqa: N818  # services read it as a sentence
    """The process ended before its work was done."""


class ImportRun(ProcessProtocol):
    """One run: `ended` fires when it is over, `done` is how many bytes of the file have been checked."""

    transport: Any

    def __init__(self, order: Order) -> None:
        self.done = 0
        self.ended: Deferred[None] = Deferred()
        self._order = order.packed()
        self._complaint = b""
        self._said = b""

    def connectionMade(self) -> None:  # noqa: N802  # Twisted's name
        """Tell what is to be done."""
        self.transport.write(self._order)
        self.transport.closeStdin()

    def childDataReceived(self, descriptor: int, data: bytes) -> None:  # noqa: N802  # as above
        """Hear how far it is, or what went wrong."""
        if descriptor == STDOUT:
            *lines, self._said = (self._said + data).split(b"\n")
            self.done = int(lines[-1]) if lines else self.done
        else:
            self._complaint = (self._complaint + data)[-MOST_SAID:]

    def processEnded(self, reason: Failure) -> None:  # noqa: N802  # as above
        """Tell how it ended."""
        status: Any = reason.value
        if status.exitCode == 0:
            self.ended.callback(None)
            return
        # The last line of a traceback; no values of the file's stand in it but what PostgreSQL may quote.
        complaint = self._complaint.decode(errors="replace").strip().rpartition("\n")[2].partition(":")[0]
        log.warn("An import broke off: exit {code}, {complaint}", code=status.exitCode, complaint=complaint)
        self.ended.errback(Failure(ImportBroken()))


@frozen
class ImportProcesses:
    """Starts them; `environment` is theirs, but for our own settings, which may be secret."""

    reactor: Any
    environment: Mapping[str, str]

    def start(self, order: Order, file: int | None) -> ImportRun:
        """Start a process that reads the file at a descriptor of ours."""
        run = ImportRun(order)
        descriptors: dict[int, Any] = {0: "w", 1: "r", 2: "r"}
        if file is not None:
            os.lseek(file, 0, os.SEEK_SET)
            descriptors[FILE] = file
        argv = [sys.executable, "-m", MODULE]
        kept = {name: value for name, value in self.environment.items() if not name.startswith("FLEXID_")}
        process = self.reactor.spawnProcess(run, argv[0], argv, env=kept, childFDs=descriptors)

        def kill() -> None:
            with suppress(ProcessExitedAlready):
                process.signalProcess("KILL")

        late = self.reactor.callLater(SECONDS, kill)
        run.ended.addBoth(_after(late))
        return run


def _after(call: Any) -> Any:
    def ended(result: Any) -> Any:
        if call.active():
            call.cancel()
        return result

    return ended
