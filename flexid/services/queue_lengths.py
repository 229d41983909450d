"""How much waits to go out, for whoever watches."""

from __future__ import annotations

from attrs import define, field, frozen
from twisted.internet.defer import DeferredLock

from flexid.store import queue_lengths
from flexid.store.database import Database

FRESH_SECONDS = 5.0
"""How long a count holds: however many ask, the database is asked once in this time."""


@frozen
class Lengths:
    """Counted up to `flexid.store.queue_lengths.MOST` each."""

    outbox: dict[tuple[str, str], int]
    """By channel and state."""
    oldest_seconds: float
    """How long the oldest of what waits in the outbox has waited."""
    messages: dict[str, int]
    """SIP messages, by state."""


@define
class QueueLengths:
    """Counts now and then."""

    database: Database
    _latest: Lengths | None = field(default=None, init=False)
    _counted_at: float = field(default=0.0, init=False)
    _one_at_a_time: DeferredLock = field(factory=DeferredLock, init=False)

    async def count(self) -> Lengths:
        """Return the lengths, at most some seconds old.

        :raise Unavailable: the database is away.
        """
        await self._one_at_a_time.acquire()
        try:
            now = self.database.reactor.seconds()
            if self._latest is None or now - self._counted_at >= FRESH_SECONDS:
                self._latest = Lengths(
                    await queue_lengths.outbox(self.database),
                    await queue_lengths.oldest(self.database),
                    await queue_lengths.messages(self.database),
                )
                self._counted_at = now
            return self._latest
        finally:
            self._one_at_a_time.release()
