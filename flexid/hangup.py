"""SIGHUP: read again what can change while we run."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

from attrs import define, field
from twisted.logger import Logger


@define
class Hangup:
    """Whatever is to be read again, by name; where there is nothing, the signal changes nothing, and never ends us."""

    log = Logger()

    reactor: Any
    begins: Callable[[], None] = field(default=lambda: None, init=False)
    """Called before all is read again."""
    ends: Callable[[], None] = field(default=lambda: None, init=False)
    """Called after it."""
    _readers: dict[str, Callable[[], None]] = field(factory=dict, init=False)

    def listen(self) -> None:
        """Take the signal from now on; left to itself it would end the process."""
        # The handler may interrupt anything: what it asks for is done in the reactor's own time.
        signal.signal(signal.SIGHUP, lambda *_: self.reactor.callFromThread(self.hear))

    def on(self, what: str, read: Callable[[], None]) -> None:
        """Read something again at every signal; `read` looks after its own mistakes."""
        self._readers[what] = read

    def hear(self) -> None:
        """Read everything again."""
        self.log.info(
            "SIGHUP: reading again: {what}",
            event="configuration.read_again",
            what=", ".join(self._readers) or "nothing that is in use",
        )
        self.begins()
        for read in self._readers.values():
            read()
        self.ends()
