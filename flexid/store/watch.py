"""Looks regularly whether something takes too long: one timer for all, instead of one for each query."""

from __future__ import annotations

from typing import Any, Protocol

from twisted.internet.task import LoopingCall

TICK = 0.1
"""Seconds between two looks."""


class Watched(Protocol):
    """What has deadlines."""

    def check(self, now: float) -> None:
        """Give up what is late; `now` is the reactor's time in seconds."""


class Watch:
    """Asks everything that is under watch, ten times a second, to give up what is late."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._watched: set[Watched] = set()
        self._ticking = LoopingCall(self._tick)
        self._ticking.clock = reactor

    def add(self, watched: Watched) -> None:
        """Look at it from now on."""
        self._watched.add(watched)

    def discard(self, watched: Watched) -> None:
        """Look at it no more."""
        self._watched.discard(watched)

    def start(self) -> None:
        """Begin to look."""
        self._ticking.start(TICK, now=False)

    def stop(self) -> None:
        """Look no more."""
        if self._ticking.running:
            self._ticking.stop()

    def _tick(self) -> None:
        now = self._reactor.seconds()
        for watched in tuple(self._watched):
            watched.check(now)
