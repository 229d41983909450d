"""What is to be told to somebody outside, once the transaction that causes it has committed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from attrs import field, frozen

Channel = Literal["mail", "sms", "webhook", "registrar", "b2bua", "hook"]
State = Literal["waiting", "sent", "dead"]


@frozen
class Outgoing:
    """One thing to deliver, at least once.

    `payload` is what the channel needs to know; it may hold codes and addresses. With a `domain` it goes away with that
    Space; without one it outlives every Space.
    """

    channel: Channel
    payload: Mapping[str, Any] = field(repr=False)
    domain: str | None = None


@frozen
class Due:
    """What waits and is to be delivered now; `attempts` counts this one."""

    id: int
    channel: Channel
    domain: str | None
    payload: Mapping[str, Any] = field(repr=False)
    attempts: int
    created_at: datetime

    @property
    def reference(self) -> str:
        """Return what tells it from all others, the same at every attempt."""
        return f"{self.created_at:%Y%m%dT%H%M%S}-{self.id}"


@frozen
class Entry:
    """What is told of something in the outbox: what it is `about`, and not what it says."""

    id: int
    channel: Channel
    domain: str | None
    state: State
    attempts: int
    last_error: str | None
    created_at: datetime
    sent_at: datetime | None
    next_attempt_at: datetime | None
    about: str


class Undelivered(Exception):  # noqa: N818  # read as a sentence: a delivery that came to nothing
    """An outside party did not take something; the reason names no secret."""


class Away(Undelivered):
    """The server cannot be reached, or takes nothing from us at all: anything else would fare as badly."""


class Refused(Undelivered):
    """It will never be taken: to try again is in vain."""


class Doubtful(Undelivered):
    """Nobody knows whether it was taken: its delivery was cut off before the answer came."""
