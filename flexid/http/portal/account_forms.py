"""What administrators type about an account."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson
from pydantic import model_validator

from flexid.base.text import Text
from flexid.domain.account import Account, Actor
from flexid.domain.errors import Forbidden
from flexid.http.api.accounts import AccountFieldsInput, AccountInput
from flexid.http.inputs import AnyText, Flag, given

_WORDS = ("username", *AccountFieldsInput.model_fields)
EDITABLE = (*_WORDS, "activated", "admin")
ALWAYS_SET = {"activated", "admin"}
"""Fields that have a value in any account: where a form lacks them, they stay."""

_BETWEEN_DIGITS = re.compile(r"[\s().\-/]")


class AccountForm(AccountInput):
    """A new account, as people write: a phone number may have spaces."""

    @model_validator(mode="before")
    @classmethod
    def _tidy(cls, values: Mapping[str, Any]) -> Mapping[str, Any]:
        return tidy(values)


class AccountChangeForm(AccountFieldsInput):
    """An account as somebody wants it, and how it was when that one began to type (`seen`)."""

    username: AnyText
    password: AnyText | None = None
    activated: Flag | None = None
    admin: Flag | None = None
    seen: AnyText = ""

    @model_validator(mode="before")
    @classmethod
    def _tidy(cls, values: Mapping[str, Any]) -> Mapping[str, Any]:
        return tidy(values)

    def changes(self) -> dict[str, Any]:
        """Return what was really changed: what a colleague has changed meanwhile stays."""
        return changed(self.model_dump(include=set(EDITABLE)), self.seen)


def tidy(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was typed without blanks around it, phone numbers without any; what is empty then is left out."""
    typed = dict(values)
    for name in _WORDS:
        if isinstance(typed.get(name), str):
            typed[name] = typed[name].strip()
    if isinstance(typed.get("phone"), str):
        typed["phone"] = _BETWEEN_DIGITS.sub("", typed["phone"])
    return given(typed)


def snapshot(account: Account) -> str:
    """Return the fields of an account as a form carries them, to tell later what was changed."""
    return orjson.dumps({name: getattr(account, name) for name in EDITABLE}).decode()


def changed(values: Mapping[str, Any], seen: str) -> dict[str, Any]:
    """Return the values that are not as they were seen; all of them, where that cannot be told."""
    try:
        before = orjson.loads(seen)
    except orjson.JSONDecodeError:
        before = {}
    if not isinstance(before, dict):
        before = {}
    return {
        name: value
        for name, value in values.items()
        if not (value is None and name in ALWAYS_SET) and (name not in before or value != before[name])
    }


def refuse_oneself(actor: Actor, account_id: int) -> None:
    """Refuse what would lock an administrator out.

    :raise Forbidden: the account is the administrator's own.
    """
    if actor.account_id == account_id:
        raise Forbidden(Text("This is your own account. Another administrator can do that."))
