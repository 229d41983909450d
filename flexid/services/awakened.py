"""Work that is done when there is any."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from attrs import define, field
from twisted.internet.defer import Deferred, ensureDeferred, succeed
from twisted.logger import Logger

from flexid.domain.errors import Unavailable


@define
class Awakened:
    """Runs a function when it is woken: never twice at a time, and once more if it was woken meanwhile."""

    log = Logger()

    name: str
    function: Callable[[], Awaitable[None]]
    _running: bool = field(default=False, init=False)
    _again: bool = field(default=False, init=False)
    _work: Deferred[None] = field(factory=lambda: succeed(None), init=False)

    def wake(self) -> None:
        """Begin, or go on afterwards."""
        self._again = True
        if not self._running:
            self._running = True
            self._work = ensureDeferred(self._run())

    async def rest(self) -> None:
        """Wait until nothing runs."""
        waiting: Deferred[None] = Deferred()

        def ended(_: object) -> None:
            waiting.callback(None)

        self._work.addBoth(ended)
        await waiting

    async def _run(self) -> None:
        try:
            while self._again:
                self._again = False
                await self.function()
        except Unavailable:
            self.log.warn("The database is away: {name} has to wait", name=self.name)
        except Exception:  # noqa: BLE001  # the next time may go well
            self.log.failure("{name} failed", name=self.name)
        finally:
            self._running = False
