"""What is to be told to somebody outside, once the transaction that causes it has committed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from attrs import field, frozen

Channel = Literal["mail", "sms", "webhook", "registrar", "b2bua"]


@frozen
class Outgoing:
    """One thing to deliver, at least once.

    `payload` is what the channel needs to know; it may hold codes and addresses. With a `domain` it goes away with that
    Space; without one it outlives every Space.
    """

    channel: Channel
    payload: Mapping[str, Any] = field(repr=False)
    domain: str | None = None
