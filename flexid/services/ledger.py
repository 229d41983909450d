"""What has happened and is to be written down, whenever the database is there."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from attrs import define, field
from twisted.internet.task import deferLater
from twisted.logger import Logger

from flexid.domain.errors import Unavailable
from flexid.services.awakened import Awakened

PAUSE = 0.5
"""Seconds between two tries while the database is away."""


@define
class Ledger:
    """Writes notes in their order; each may be written twice, if nobody knows whether it was the first time."""

    log = Logger()

    reactor: Any
    _notes: deque[Callable[[], Awaitable[object]]] = field(factory=deque, init=False)
    _writing: Awakened = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._writing = Awakened("what became of messages", self._write)

    def note(self, write: Callable[[], Awaitable[object]]) -> None:
        """Write this down."""
        self._notes.append(write)
        self._writing.wake()

    async def written(self) -> None:
        """Wait until all is written."""
        await self._writing.rest()

    def forget(self) -> None:
        """Give up what is not written yet."""
        self._notes.clear()

    async def _write(self) -> None:
        while self._notes:
            write = self._notes[0]
            try:
                await write()
            except Unavailable:
                self.log.warn("The database is away: what became of messages has to wait")
                await deferLater(self.reactor, PAUSE)
                continue
            except Exception:  # noqa: BLE001  # the others have to be written all the same
                self.log.failure("What became of a message could not be written down")
            if self._notes and self._notes[0] is write:
                self._notes.popleft()
