"""Time and randomness: the one place that asks the machine for them, so that tests can answer instead."""

from __future__ import annotations

import secrets
import string
import time
from collections.abc import Callable
from datetime import UTC, datetime

from attrs import frozen

ALPHANUMERIC = string.ascii_letters + string.digits
# Bytes that stand for a letter or digit each, all of them equally often; the few that are left over are dropped.
_USED = 256 // len(ALPHANUMERIC) * len(ALPHANUMERIC)
_LETTERS = (ALPHANUMERIC * 5).encode()[:256]
_LEFT_OVER = bytes(range(_USED, 256))


@frozen
class Clock:
    """What time it is."""

    seconds: Callable[[], float] = time.time
    """Seconds since 1970, UTC."""

    def now(self) -> datetime:
        """Return the present moment, in UTC."""
        return datetime.fromtimestamp(self.seconds(), UTC)


def monotonic_microseconds() -> int:
    """Return the time of a clock that nobody sets; it says nothing but what lies between two of its times."""
    return time.monotonic_ns() // 1000


def random_token(length: int) -> str:
    """Return `length` letters and digits from a cryptographic source."""
    return "".join(secrets.choice(ALPHANUMERIC) for _ in range(length))


def random_tokens(count: int, length: int) -> list[str]:
    """Return as many tokens as `random_token` would, from the same source, in a hundredth of the time."""
    letters = b""
    while len(letters) < count * length:
        letters += random_bytes(count * length).translate(_LETTERS, _LEFT_OVER)
    text = letters.decode()
    return [text[start : start + length] for start in range(0, count * length, length)]


def random_code(length: int) -> str:
    """Return `length` digits from a cryptographic source."""
    return "".join(secrets.choice(string.digits) for _ in range(length))


def random_bytes(length: int) -> bytes:
    """Return `length` bytes from a cryptographic source."""
    return secrets.token_bytes(length)


def random_share() -> float:
    """Return a number from 0 up to 1, for what is to be spread."""
    return secrets.SystemRandom().random()
