"""Lanes: what goes to one server, how much of it at once, and how long a server that is away is left alone."""

from __future__ import annotations

from collections import Counter

from attrs import define, field, frozen

from flexid.base.clock import Clock

LONGEST_REST = 30.0
"""Seconds between two tries whether a server is back."""


@frozen
class Lane:
    """What goes to one server; `domain` is the Space whose own it is."""

    channel: str
    domain: str | None = None


SHARED = Lane("mail")
SMS = Lane("sms")


@define(eq=False)
class Lanes:
    """What is under way in each lane.

    Where a server was away, the lane rests for two seconds, and twice as long each further time; then one thing is
    tried alone, and the rest of them once that has gone well. So nothing that waits uses its attempts up.
    """

    clock: Clock
    _under_way: Counter[Lane] = field(factory=Counter, init=False)
    _misses: Counter[Lane] = field(factory=Counter, init=False)
    _rests_until: dict[Lane, float] = field(factory=dict, init=False)

    def room(self, lane: Lane, most: int) -> int:
        """Return how much more can be begun with, if so much may be under way at most."""
        if self.is_resting(lane):
            return 0
        return max(0, (1 if self._misses[lane] else most) - self._under_way[lane])

    def is_resting(self, lane: Lane) -> bool:
        """Say whether its server is left alone."""
        return self._rests_until.get(lane, 0.0) > self.clock.seconds()

    def known_own(self) -> list[Lane]:
        """Return the lanes of Spaces' own servers in which something is under way, or went wrong the last time."""
        return [lane for lane in {*self._under_way, *self._misses} if lane.domain]

    def begin(self, lane: Lane) -> None:
        """Note that something more is under way."""
        self._under_way[lane] += 1

    def end(self, lane: Lane) -> None:
        """Note that it is no more."""
        self._under_way[lane] -= 1
        if not self._under_way[lane]:
            del self._under_way[lane]

    def is_there(self, lane: Lane) -> None:
        """Note that its server has answered."""
        self._misses.pop(lane, None)
        self._rests_until.pop(lane, None)

    def is_away(self, lane: Lane) -> None:
        """Note that its server is away; those that were under way together count once."""
        if not self.is_resting(lane):
            self._misses[lane] += 1
            self._rests_until[lane] = self.clock.seconds() + min(LONGEST_REST, 2.0 ** min(self._misses[lane], 8))
