"""Which values of an account's fields are refused, and why: all of them at once."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from flexid.base.settings import Accounts as AccountSettings
from flexid.base.text import Text
from flexid.domain import names, phones
from flexid.domain.errors import Invalid
from flexid.store import accounts, phone_countries
from flexid.store.query import Runner

TAKEN = {
    "username": Text("The username has already been taken."),
    "phone": Text("The phone has already been taken."),
    "email": Text("The email has already been taken."),
}


@frozen
class Fields:
    """What a caller wants an account to have; None where it says nothing, or nothing readable."""

    username: str | None = None
    password: str | None = None
    email: str | None = None
    phone: str | None = None


@frozen
class AccountRules:
    """The rules of the contract, with the operator's settings."""

    settings: AccountSettings

    async def faults(
        self, runner: Runner, domain: str, fields: Fields, *, by_admin: bool, but: int | None = None
    ) -> dict[str, list[Text]]:
        """Return what is wrong with each field; `but` is the account that may hold the names already."""
        faults = await self.broken(runner, fields, by_admin=by_admin)
        for field in await accounts.taken(
            runner, domain, username=fields.username, phone=fields.phone, email=fields.email, but=but
        ):
            faults.setdefault(field, []).append(TAKEN[field])
        return faults

    async def refuse(
        self, runner: Runner, domain: str, fields: Fields, *, by_admin: bool, but: int | None = None
    ) -> None:
        """Refuse values that break a rule which needs no look at other accounts, naming those that do as well.

        The database has the last word on names that are taken; asking it first would cost every creation a statement.

        :raise Invalid: with all wrong fields.
        """
        if await self.broken(runner, fields, by_admin=by_admin):
            raise Invalid(await self.faults(runner, domain, fields, by_admin=by_admin, but=but))

    async def broken(self, runner: Runner, fields: Fields, *, by_admin: bool) -> dict[str, list[Text]]:
        """Return which rules are broken that need no look at other accounts."""
        faults = {
            "username": self._username(fields.username, by_admin=by_admin),
            "password": self._password(fields.password),
            "email": names.email_fault(fields.email) if fields.email else None,
            "phone": await self._phone(runner, fields.phone),
        }
        return {field: [fault] for field, fault in faults.items() if fault}

    def allow_username(self, username: str) -> bool:
        """Say whether somebody who is no administrator could have a username, if it is free."""
        return self._username(username, by_admin=False) is None

    def _username(self, username: str | None, *, by_admin: bool) -> Text | None:
        if username is None:
            return None
        phone_allowed = by_admin and self.settings.allow_phone_number_username_admin_api
        return names.username_fault(
            username, self.settings.username_regex, self.settings.username_blacklist, phone_allowed=phone_allowed
        )

    def _password(self, password: str | None) -> Text | None:
        return None if password is None else names.password_fault(password, self.settings.password_min_length)

    async def _phone(self, runner: Runner, phone: str | None) -> Text | None:
        if phone is None:
            return None
        country_code = phones.country_of(phone)
        if country_code is None:
            return Text("The phone must be a valid phone number in E.164 format")
        if not await phone_countries.is_active(runner, country_code):
            return Text("Phone numbers of this country are not allowed")
        return None


def without_nothing(faults: Mapping[str, list[Text]]) -> dict[str, list[Text]]:
    """Return the faults, or that the username is taken where the one who held a name let go of it meanwhile."""
    return dict(faults) or {"username": [TAKEN["username"]]}
