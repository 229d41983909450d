"""Accounts: SIP users, and who acts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from attrs import field, fields, frozen

from flexid.domain.carddav import CardDavCredentials
from flexid.domain.passwords import StoredPassword


@frozen(kw_only=True)
class AccountFields:
    """What administrators write of an account, each a column of the same name."""

    username: str
    domain: str
    email: str | None = None
    phone: str | None = None
    display_name: str | None = None
    activated: bool = False
    admin: bool = False
    dtmf_protocol: str | None = None


FIELDS: tuple[str, ...] = tuple(each.name for each in fields(AccountFields))


@frozen(kw_only=True)
class Account(AccountFields):
    """A SIP user with all that belongs to what its owner and administrators see of it."""

    id: int
    blocked: bool
    ip_address: str | None
    user_agent: str | None
    created_at: datetime
    updated_at: datetime
    provisioning_token: str | None = field(repr=False)
    provisioning_token_made_at: datetime | None
    passwords: tuple[StoredPassword, ...]
    dictionary: dict[str, str]
    types: tuple[dict[str, Any], ...] = ()
    actions: tuple[dict[str, Any], ...] = ()
    carddav_servers: tuple[dict[str, Any], ...] = ()
    carddav_credentials: tuple[CardDavCredentials, ...] = field(default=(), repr=False)
    """What it signs in to these servers with, in the same order."""
    email_change_code: dict[str, Any] | None = field(default=None, repr=False)
    phone_change_code: dict[str, Any] | None = field(default=None, repr=False)
    call_forwardings: tuple[dict[str, Any], ...] = ()

    @property
    def sip_uri(self) -> str:
        """Return the account's SIP URI (RFC 3261, 19.1)."""
        return f"sip:{self.address}"

    @property
    def address(self) -> str:
        """Return the account's SIP address without its scheme."""
        return f"{self.username}@{self.domain}"


@frozen(kw_only=True)
class NewAccount(AccountFields):
    """What a new account starts with."""

    dictionary: dict[str, str] = field(factory=dict)
    password: StoredPassword | None = None


@frozen
class Actor:
    """The account that makes a request, as far as permissions are concerned."""

    account_id: int
    username: str
    domain: str
    admin: bool
    blocked: bool
    super_space: bool
    account: Account | None = field(default=None, repr=False)
    """The whole account, where signing in has read it in this request."""

    @property
    def super_admin(self) -> bool:
        """Say whether it manages every Space."""
        return self.admin and self.super_space

    def reaches(self, domain: str) -> bool:
        """Say whether it may administer accounts of a domain."""
        return self.super_admin or (self.admin and self.domain == domain)


@frozen
class Origin:
    """Where a request comes from."""

    ip: str
    user_agent: str
