"""What a process keeps in memory of the database, as long as it hears of changes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Iterable
from typing import Generic, TypeVar

from attrs import define, field

from flexid.store.ambient import around

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@define
class Cache(Generic[K, V]):
    """Values by key; the oldest goes when there are `size`. While `trusted` is False nothing is kept or answered."""

    size: int
    trusted: bool = False
    hits: int = field(default=0, init=False)
    misses: int = field(default=0, init=False)
    _values: dict[K, V] = field(factory=dict, init=False)
    _generation: int = field(default=0, init=False)

    async def get(self, key: K, load: Callable[[], Awaitable[V | None]]) -> V | None:
        """Return the value of a key, loading it where it is not kept; what does not exist is asked for again."""
        if self.trusted and (value := self._values.get(key)) is not None:
            self.hits += 1
            return value
        self.misses += 1
        generation = self._generation
        loaded = await load()
        # What changed while it was loading may be old already; what a transaction sees may never come true.
        if loaded is not None and self.trusted and generation == self._generation and around() is None:
            if len(self._values) >= self.size:
                del self._values[next(iter(self._values))]
            self._values[key] = loaded
        return loaded

    def __len__(self) -> int:
        """Return how many are kept."""
        return len(self._values)

    def drop(self, keys: Iterable[K]) -> None:
        """Forget these keys, and what is being loaded at the moment."""
        self._generation += 1
        for key in keys:
            self._values.pop(key, None)

    def clear(self) -> None:
        """Forget everything."""
        self._generation += 1
        self._values.clear()
