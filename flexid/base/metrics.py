"""What is counted all the time: plain dictionaries, which cost a request next to nothing and are read when wanted."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the histograms' buckets, in seconds; what takes longer goes into one bucket more."""


class Durations(dict[K, list[float]], Generic[K]):
    """How long things took, by key: a count for each of the buckets, and the sum of all seconds in the end."""

    def __missing__(self, key: K) -> list[float]:
        """Begin to count a key."""
        counts = self[key] = [0.0] * (len(BOUNDS) + 2)
        return counts

    def add(self, key: K, seconds: float) -> None:
        """Count something that took so long."""
        counts = self[key]
        counts[bisect_left(BOUNDS, seconds)] += 1
        counts[-1] += seconds


class Totals(dict[K, list[float]], Generic[K]):
    """How often things were done by key, how many seconds that took in all, and how often it failed."""

    def __missing__(self, key: K) -> list[float]:
        """Begin to count a key."""
        counts = self[key] = [0.0, 0.0, 0.0]
        return counts

    def add(self, key: K, seconds: float, *, failed: bool = False) -> None:
        """Count something that took so long."""
        counts = self[key]
        counts[0] += 1
        counts[1] += seconds
        if failed:
            counts[2] += 1
