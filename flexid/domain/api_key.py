"""API keys, as administrators see them afterwards."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen


@frozen
class AdminKey:
    """A key of an administrator without its secret: `start` is all of it that is kept."""

    id: int
    name: str
    start: str
    username: str
    ip: str | None
    requests: int
    expires_after_last_used_minutes: int
    """0 = never."""
    last_used_at: datetime
    created_at: datetime
