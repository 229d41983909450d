"""Waiting for something that another process says by NOTIFY."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from attrs import define, field
from twisted.internet.defer import Deferred

from flexid.store.database import Database


@define
class Expectations:
    """What is said on a channel, for whoever expects it."""

    database: Database
    channel: str
    _expected: dict[str, list[Deferred[None]]] = field(factory=dict, init=False)

    def watch(self) -> None:
        """Hear of what is said from now on."""
        self.database.listen(self.channel, self._heard, lambda: None, self._regained)

    @contextmanager
    def expecting(self, payload: str, seconds: float) -> Iterator[Deferred[None]]:
        """Lend a Deferred that fires when this is said, when it may have been, or after so many seconds."""
        heard: Deferred[None] = Deferred()
        waiting = self._expected.setdefault(payload, [])
        waiting.append(heard)
        late = self.database.reactor.callLater(seconds, self._fire, heard)
        try:
            yield heard
        finally:
            waiting.remove(heard)
            if not waiting:
                self._expected.pop(payload, None)
            if late.active():
                late.cancel()

    def _heard(self, payload: str) -> None:
        for heard in self._expected.get(payload, ()):
            self._fire(heard)

    def _regained(self) -> None:
        # What was said meanwhile has been missed.
        for payload in tuple(self._expected):
            self._heard(payload)

    def _fire(self, heard: Deferred[None]) -> None:
        if not heard.called:
            heard.callback(None)
