"""Contacts: accounts that an account knows, directly or through the lists that were given to it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from attrs import frozen


@frozen
class Contact:
    """An account as those see it who have it among their contacts: nothing of it is secret."""

    id: int
    username: str
    domain: str
    display_name: str | None
    activated: bool
    dtmf_protocol: str | None
    dictionary: dict[str, str]
    types: Sequence[dict[str, Any]]
    actions: Sequence[dict[str, Any]]

    @property
    def sip_uri(self) -> str:
        """Return the contact's SIP URI (RFC 3261, 19.1)."""
        return f"sip:{self.username}@{self.domain}"


@frozen
class ContactsList:
    """A list of accounts of a Space, given to accounts as their contacts."""

    id: int
    space_id: int
    title: str
    description: str | None
    contacts_count: int
    created_at: datetime
    updated_at: datetime
