"""The audit log: who did what to which account, when, and from where."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from attrs import frozen

MOST_COUNTED = 10_000
"""Beyond this the log is read by narrowing what is asked for."""


@frozen
class AuditEntry:
    """Something that was done; triggers write it (docs/adr/0013)."""

    id: int
    domain: str | None
    action: str
    account_id: int | None
    account: str | None
    actor_id: int | None
    actor: str
    means: str
    credential: str | None
    ip: str | None
    user_agent: str | None
    request_id: str | None
    details: dict[str, Any]
    created_at: datetime


@frozen
class AuditWish:
    """What somebody wants to read; None leaves it open."""

    domain: str | None = None
    account: str | None = None
    """An id, or an address, of whom it was done to."""
    actor: str | None = None
    """An id, or a name, of who did it."""
    action: str | None = None
    """One action, such as `account.created`, or all of a kind: `account`."""
    since: datetime | None = None
    until: datetime | None = None
