"""What administrators do with the external account of an account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from flexid.base.text import Text
from flexid.domain import passwords
from flexid.domain.account import Actor
from flexid.domain.errors import Invalid, NotFound
from flexid.domain.external_account import ALGORITHM, ExternalAccount, ExternalSettings, repeated
from flexid.services.accounts import domain_within_reach
from flexid.store import account_changes, accounts, external_accounts
from flexid.store.database import Database
from flexid.store.failures import ConstraintViolated
from flexid.store.query import Runner

TAKEN = Text("The username has already been taken.")


@frozen
class ExternalAccounts:
    """The use cases. The B2BUA hears of each change by a notice that the database writes with it."""

    database: Database

    async def show(self, actor: Actor, account_id: int) -> ExternalAccount:
        """Return the external account.

        :raise NotFound: there is none, or no such account within the actor's reach.
        """
        found = await external_accounts.find(self.database, account_id, domain_within_reach(actor))
        if found is None:
            raise NotFound
        return found

    async def faults(self, actor: Actor, account_id: int, values: Mapping[str, Any]) -> dict[str, list[Text]]:
        """Return what would be refused of these fields, as far as they are there.

        :raise NotFound: no such account within the actor's reach.
        """
        if await accounts.find(self.database, account_id, domain_within_reach(actor)) is None:
            raise NotFound
        before = await external_accounts.find(self.database, account_id, None)
        return await _faults(self.database, account_id, values, before)

    async def set(
        self, actor: Actor, account_id: int, settings: ExternalSettings, password: str | None
    ) -> tuple[ExternalAccount, bool]:
        """Give an account its external account, or another one; return it, and whether it is new.

        :raise NotFound: no such account within the actor's reach.
        :raise Invalid: a field repeats the domain, somebody else has this external account, or a password is needed.
        """
        stored = None
        if password is not None:
            stored = passwords.hash_password(ALGORITHM, settings.username, settings.hashed_realm, password)
        values = {name: getattr(settings, name) for name in ("username", "domain", "realm", "registrar")}
        values |= {"outbound_proxy": settings.outbound_proxy, "password": password}
        try:
            async with self.database.transaction() as transaction:
                if await account_changes.lock(transaction, account_id, domain_within_reach(actor)) is None:
                    raise NotFound
                before = await external_accounts.find(transaction, account_id, None)
                if faults := await _faults(transaction, account_id, values, before):
                    raise Invalid(faults)
                return await external_accounts.save(transaction, account_id, settings, stored, ALGORITHM)
        except ConstraintViolated:
            raise Invalid.field("username", TAKEN) from None

    async def delete(self, actor: Actor, account_id: int) -> int:
        """Delete the external account; return how many there were.

        :raise NotFound: no such account within the actor's reach.
        """
        deleted = await external_accounts.delete(self.database, account_id, domain_within_reach(actor))
        if deleted is None:
            raise NotFound
        return deleted


async def _faults(
    runner: Runner, account_id: int, values: Mapping[str, Any], before: ExternalSettings | None
) -> dict[str, list[Text]]:
    username, domain, realm = values.get("username"), values.get("domain"), values.get("realm")
    faults: dict[str, list[Text]] = {}
    if domain:
        same = repeated(domain, realm, values.get("registrar"), values.get("outbound_proxy"))
        faults |= {field: [reason] for field, reason in same.items()}
    if username and domain and await external_accounts.is_taken(runner, username, domain, account_id):
        faults["username"] = [TAKEN]
    if not values.get("password"):
        if before is None:
            faults["password"] = [Text("The {field} field is required.", field="password")]
        elif username and domain and (username, domain, realm) != before.hashed:
            # The stored hash contains all three.
            faults["password"] = [Text("Another username, domain or realm needs the password again")]
    return faults
