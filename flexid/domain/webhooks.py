"""Webhooks: other people's servers that hear of what happens in a Space, by the scheme of Standard Webhooks 1.0."""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

import orjson
from attrs import field, frozen

EVENTS = (
    "account.created",
    "account.updated",
    "account.deleted",
    "account.activated",
    "account.blocked",
    "account.provisioned",
    "message.state",
    "space.expiring",
)
TEST_EVENT = "webhook.test"
"""What a test sends; nobody subscribes to it."""
MOST_WEBHOOKS = 20
"""Of one Space."""
LENGTH_OF_URL = 2000

SECRET_PREFIX = "whsec_"  # noqa: S105  # what every secret begins with
LEAST_KEY_BYTES, MOST_KEY_BYTES = 24, 64
_SECRET = re.compile(r"whsec_[A-Za-z0-9+/]+={0,2}")

DeliveryState = Literal["waiting", "sent", "dead"]
STATES: tuple[DeliveryState, ...] = ("waiting", "sent", "dead")


@frozen
class WebhookSettings:
    """What a person decides of a webhook."""

    url: str
    events: tuple[str, ...]
    enabled: bool = True


@frozen
class Webhook:
    """A webhook of a Space; `disabled_because` says why it was switched off by itself."""

    id: int
    domain: str
    url: str
    events: tuple[str, ...]
    enabled: bool
    disabled_at: datetime | None
    disabled_because: str | None
    created_at: datetime
    updated_at: datetime


@frozen
class Delivery:
    """An event on its way to a webhook; `attempts` counts the one that is under way."""

    id: int
    event: str
    state: DeliveryState
    attempts: int
    last_error: str | None
    created_at: datetime
    next_attempt_at: datetime | None
    sent_at: datetime | None


@frozen
class DueEvent:
    """An event to deliver now, to nobody else's knowledge; `reference` is the same at every attempt."""

    id: int
    webhook_id: int
    domain: str
    url: str
    secret: str = field(repr=False)
    payload: Mapping[str, Any] = field(repr=False)
    attempts: int
    created_at: datetime

    @property
    def reference(self) -> str:
        """Return what tells it from all others."""
        return f"msg_{self.created_at:%Y%m%dT%H%M%S}_{self.id}"


@frozen
class SignedRequest:
    """What is sent: the body, and the headers beside those of HTTP."""

    body: bytes = field(repr=False)
    headers: Mapping[str, str]


def body_of(payload: Mapping[str, Any]) -> bytes:
    """Write an event, its type first."""
    return orjson.dumps({name: payload[name] for name in ("type", "timestamp", "data")})


def sign(secret: str, reference: str, at: int, body: bytes) -> SignedRequest:
    """Sign a body that is sent at a time, in seconds since 1970."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    signature = hmac.digest(key, f"{reference}.{at}.".encode() + body, "sha256")
    return SignedRequest(
        body,
        {
            "Webhook-Id": reference,
            "Webhook-Timestamp": str(at),
            "Webhook-Signature": f"v1,{base64.b64encode(signature).decode()}",
        },
    )


def written_secret(key: bytes) -> str:
    """Return a key as receivers are given it."""
    return SECRET_PREFIX + base64.b64encode(key).decode()


def is_secret(text: str) -> bool:
    """Say whether a text is a secret of the scheme: `whsec_` and 24 to 64 bytes in base64."""
    if not _SECRET.fullmatch(text):
        return False
    try:
        key = base64.b64decode(text.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error:
        return False
    return LEAST_KEY_BYTES <= len(key) <= MOST_KEY_BYTES
