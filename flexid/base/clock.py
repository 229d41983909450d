"""Time and randomness: the one place that asks the machine for them, so that tests can answer instead."""

from __future__ import annotations

import secrets
import string
import time
from collections.abc import Callable
from datetime import UTC, datetime

from attrs import frozen

ALPHANUMERIC = string.ascii_letters + string.digits


@frozen
class Clock:
    """What time it is."""

    seconds: Callable[[], float] = time.time
    """Seconds since 1970, UTC."""

    def now(self) -> datetime:
        """Return the present moment, in UTC."""
        return datetime.fromtimestamp(self.seconds(), UTC)


def random_token(length: int) -> str:
    """Return `length` letters and digits from a cryptographic source."""
    return "".join(secrets.choice(ALPHANUMERIC) for _ in range(length))


def random_code(length: int) -> str:
    """Return `length` digits from a cryptographic source."""
    return "".join(secrets.choice(string.digits) for _ in range(length))


def random_bytes(length: int) -> bytes:
    """Return `length` bytes from a cryptographic source."""
    return secrets.token_bytes(length)
