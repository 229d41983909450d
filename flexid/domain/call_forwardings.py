"""Call forwardings: where calls to an account go instead, and when."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from attrs import frozen

from flexid.base.text import Text

ALWAYS = "always"
TYPES = (ALWAYS, "no_answer", "busy")
TARGETS = ("sip_uri", "contact", "voicemail")

TAKEN = Text("The account has a call forwarding of this type already")
EXCLUSIVE = Text("While calls are always forwarded, no other call forwarding can be enabled")
NO_CONTACT = Text("It must be one of the account's contacts")


@frozen
class NewCallForwarding:
    """What a call forwarding is to be; an account has one of each type at most."""

    type: str
    forward_to: str
    sip_uri: str | None
    contact_id: int | None
    enabled: bool


@frozen
class CallForwarding:
    """A call forwarding; `contact_sip_uri` is the address of the contact today."""

    id: int
    type: str
    forward_to: str
    sip_uri: str | None
    enabled: bool
    contact_id: int | None
    contact_sip_uri: str | None
    created_at: datetime
    updated_at: datetime


def faults(wanted: NewCallForwarding, others: Iterable[tuple[str, bool]]) -> dict[str, list[Text]]:
    """Return what is wrong with a call forwarding beside the account's others: their types, and which are enabled."""
    known = dict(others)
    found = {}
    if wanted.type in known:
        found["type"] = [TAKEN]
    if wanted.enabled and any(
        enabled and (ALWAYS in (kind, wanted.type)) for kind, enabled in known.items() if kind != wanted.type
    ):
        found["enabled"] = [EXCLUSIVE]
    return found
