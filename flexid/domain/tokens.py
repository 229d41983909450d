"""Tokens that are handed out."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from attrs import frozen

AddressKind = Literal["email", "phone"]
"""Where a code goes to be typed by whoever reads it there."""


@frozen
class CreationToken:
    """A token that lets somebody create one account, or prove that an account is a person's."""

    token: str
    pn_provider: str | None
    pn_param: str | None
    pn_prid: str | None
    used: bool
    account_id: int | None
    ip: str | None
    user_agent: str | None
    created_at: datetime


@frozen
class AuthToken:
    """An auth token, attached to an account or not yet."""

    id: int
    token: str
    account_id: int | None
    ip: str | None
    user_agent: str | None
    created_at: datetime
    updated_at: datetime
