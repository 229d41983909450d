"""An account, as the API shows it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, NotRequired, TypedDict, cast

from flexid.base.settings import Lifetimes
from flexid.domain.account import Account
from flexid.http.answers import moment
from flexid.http.api.account_actions import ActionAnswer
from flexid.http.api.account_types import TypeAnswer
from flexid.http.api.call_forwardings import ForwardingAnswer
from flexid.http.api.space_integrations import CardDavServerAnswer


class PasswordAnswer(TypedDict):
    """A stored password, of which nothing but the algorithm is ever shown."""

    algorithm: str


class PendingCodeAnswer(TypedDict):
    """A code that was sent; what it is, is shown to administrators who look at this one account."""

    code: NotRequired[str]
    created_at: str
    updated_at: str
    expire_at: str | None
    ip: str | None
    user_agent: str | None


class EmailCodeAnswer(PendingCodeAnswer):
    """A code on its way to a new email address."""

    email: str


class PhoneCodeAnswer(PendingCodeAnswer):
    """A code on its way to a new phone number."""

    phone: str


class AccountAnswer(TypedDict):
    """An account with what belongs to it."""

    id: int
    username: str
    domain: str
    email: str | None
    activated: bool
    ip_address: str | None
    user_agent: str | None
    created_at: str
    display_name: str | None
    dtmf_protocol: str | None
    updated_at: str
    blocked: bool
    admin: bool
    phone: str | None
    provisioning_token: str | None
    provisioning_token_expire_at: str | None
    dictionary: dict[str, str]
    sip_uri: str
    passwords: list[PasswordAnswer]
    email_change_code: EmailCodeAnswer | None
    types: list[TypeAnswer]
    actions: list[ActionAnswer]
    carddav_servers: list[CardDavServerAnswer]
    phone_change_code: PhoneCodeAnswer | None


class ResolvedAccountAnswer(AccountAnswer):
    """An account with its call forwardings, as Flexisip's router reads it."""

    call_forwardings: list[ForwardingAnswer]


_OTHERWISE = {
    "created_at",
    "updated_at",
    "provisioning_token_expire_at",
    "passwords",
    "email_change_code",
    "phone_change_code",
}
_AS_THEY_ARE = tuple(name for name in AccountAnswer.__annotations__ if name not in _OTHERWISE)


def show(account: Account, lifetimes: Lifetimes, *, with_codes: bool = False) -> AccountAnswer:
    """Return the account; pending codes themselves are for administrators who look at this one account."""
    answer = {
        **{name: getattr(account, name) for name in _AS_THEY_ARE},
        "created_at": moment(account.created_at),
        "updated_at": moment(account.updated_at),
        "provisioning_token_expire_at": _token_expiry(account, lifetimes.provisioning_token),
        "passwords": [PasswordAnswer(algorithm=password.algorithm) for password in account.passwords],
        "email_change_code": _pending(account.email_change_code, lifetimes.email_code, with_codes=with_codes),
        "phone_change_code": _pending(account.phone_change_code, lifetimes.phone_code, with_codes=with_codes),
    }
    return cast("AccountAnswer", {name: answer[name] for name in AccountAnswer.__annotations__})


def show_resolved(account: Account, lifetimes: Lifetimes) -> ResolvedAccountAnswer:
    """Return the account with its call forwardings in Flexisip's words: it takes any it does not know for `always`."""
    forwardings: list[Any] = [
        {**forwarding, "type": "away" if forwarding["type"] == "no_answer" else forwarding["type"]}
        for forwarding in account.call_forwardings
    ]
    return ResolvedAccountAnswer(**show(account, lifetimes), call_forwardings=forwardings)


def _token_expiry(account: Account, minutes: int) -> str | None:
    if not minutes or account.provisioning_token_made_at is None:
        return None
    return moment(account.provisioning_token_made_at + timedelta(minutes=minutes))


def _pending(code: dict[str, Any] | None, minutes: int, *, with_codes: bool) -> Any:
    if code is None:
        return None
    made_at = datetime.fromisoformat(code["created_at"]).astimezone(UTC)
    expire_at = moment(made_at + timedelta(minutes=minutes)) if minutes else None
    return {
        **{name: value for name, value in code.items() if with_codes or name != "code"},
        "expire_at": expire_at,
    }
