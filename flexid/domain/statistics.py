"""Calls and messages, as Flexisip counts them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from attrs import frozen

from flexid.domain.sip_address import SipAddress


@frozen
class NewCall:
    """A call that has begun."""

    id: str
    caller: SipAddress
    callee: SipAddress
    initiated_at: datetime
    ended_at: datetime | None
    conference_id: str | None


@frozen
class Call:
    """A call with the devices that it reached."""

    id: str
    from_username: str
    from_domain: str
    to_username: str
    to_domain: str
    initiated_at: datetime
    ended_at: datetime | None
    conference_id: str | None
    created_at: datetime
    updated_at: datetime
    devices: tuple[dict[str, Any], ...]


@frozen
class CallDevice:
    """What a device did with a call."""

    id: int
    call_id: str
    device_id: str
    rang_at: datetime | None
    invite_terminated_at: datetime | None
    invite_terminated_state: str | None
    created_at: datetime
    updated_at: datetime


@frozen
class NewMessage:
    """A message that was sent."""

    id: str
    sender: SipAddress
    sent_at: datetime
    encrypted: bool
    conference_id: str | None


@frozen
class MessageDevice:
    """What became of a message on a device."""

    id: int
    message_id: str
    to_username: str
    to_domain: str
    device_id: str
    last_status: int
    received_at: datetime | None
    created_at: datetime
    updated_at: datetime
