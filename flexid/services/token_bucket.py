"""A pace that is kept on average, with some room for what comes all at once."""

from __future__ import annotations

from attrs import define, field


@define
class TokenBucket:
    """So many a second, and after a pause at most `size` at once. Times are seconds of any clock."""

    per_second: float
    size: float
    _tokens: float = field(default=0.0, init=False)
    _at: float | None = field(default=None, init=False)

    def delay(self, now: float) -> float:
        """Return for how long the next one has to wait."""
        self._fill(now)
        return max(0.0, (1 - self._tokens) / self.per_second)

    def take(self, now: float) -> None:
        """Count one."""
        self._fill(now)
        self._tokens -= 1

    def _fill(self, now: float) -> None:
        elapsed = self.size / self.per_second if self._at is None else max(0.0, now - self._at)
        self._tokens = min(self.size, self._tokens + elapsed * self.per_second)
        self._at = now
