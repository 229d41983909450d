"""Devices that are registered, as Flexisip's registrar describes them.

A value of the registrar is the contact of a `REGISTER` (RFC 3261 section 20.10) with what Flexisip notes of it:
`<sip:user@host;updatedAt=1700000000?user-agent=App%2F5.2%20(Phone)>;+sip.instance="<urn:uuid:…>"`. Applications write
most of it, so anything may stand there.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from urllib.parse import unquote

from attrs import frozen

LONGEST_VALUE = 16_384
"""Bytes; Flexisip takes no request that could hold a longer one."""
LONGEST_NAME = 512
"""Characters of whatever an application calls itself or its device."""

_CONTACT = re.compile(r'[^<"]*(?:"(?:[^"\\]|\\.)*"\s*)?<\s*sips?:([^<>]*)>(.*)', re.IGNORECASE | re.DOTALL)
_UPDATED_AT = re.compile(r";updatedAt=([0-9]{1,11})(?=[;?]|\Z)", re.IGNORECASE)
_USER_AGENT = re.compile(r"[?&]user-agent=([^&]*)", re.IGNORECASE)
_INSTANCE = re.compile(r';\s*\+sip\.instance\s*=\s*"<([^<>"]+)>"', re.IGNORECASE)
_APPLICATION = re.compile(r"([^/()]+)/([^\s()]+)(?:\s+\((.*?)\)(?=\s|\Z))?")


@frozen
class Device:
    """A registration; `uuid` names it, whatever else is not known is None."""

    uuid: str
    updated_at: datetime | None = None
    user_agent: str | None = None
    app: str | None = None
    version: str | None = None
    device_name: str | None = None

    @property
    def title(self) -> str:
        """Return what people may call it."""
        return self.device_name or self.program or self.uuid

    @property
    def program(self) -> str:
        """Return what it runs, empty if it does not say."""
        return f"{self.app} {self.version}" if self.app else self.user_agent or ""


def read(field: bytes, value: bytes) -> Device | None:
    """Return the device in a field of an account's hash; None if its value is no SIP contact.

    Devices without a `+sip.instance` go by the name of their field.
    """
    contact = None if len(value) > LONGEST_VALUE else _CONTACT.match(value.decode(errors="replace"))
    if contact is None:
        return None
    uri, parameters = contact.groups()
    instance = _INSTANCE.search(parameters)
    # What Flexisip adds comes after whatever the application wrote.
    updates, agents = _UPDATED_AT.findall(uri), _USER_AGENT.findall(uri)
    agent = _printable(unquote(agents[-1])) if agents else ""
    application = _APPLICATION.match(agent)
    app, version, name = application.groups() if application else (None, None, None)
    return Device(
        uuid=bare(instance[1] if instance else field.decode(errors="replace")),
        updated_at=_moment(int(updates[-1])) if updates else None,
        user_agent=agent or None,
        app=app,
        version=version,
        device_name=name or None,
    )


def bare(uuid: str) -> str:
    """Return the name of a device without the quotes and brackets that SIP puts around it."""
    return _printable(uuid).strip('"<> ')


def _moment(seconds: int) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text[:LONGEST_NAME]).strip()
