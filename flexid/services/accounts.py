"""What administrators do with accounts of their Space, and super administrators with those of any."""

from __future__ import annotations

from typing import Any

from attrs import evolve, frozen
from twisted.logger import Logger

from flexid.base.clock import random_token
from flexid.base.text import Text
from flexid.domain import passwords
from flexid.domain.account import Account, Actor, NewAccount, Origin
from flexid.domain.errors import Forbidden, Invalid, NotFound
from flexid.domain.passwords import StoredPassword
from flexid.domain.sip_address import SipAddress
from flexid.domain.space import Space
from flexid.services.account_rules import AccountRules, Fields, without_nothing
from flexid.services.api_keys import ApiKeys
from flexid.services.space_directory import SpaceDirectory
from flexid.store import account_changes, accounts, provisioning_tokens, spaces
from flexid.store.database import Database
from flexid.store.failures import ConstraintViolated
from flexid.store.query import Runner

PROVISIONING_TOKEN_LENGTH = 13
SPACE_FULL = Text("This action is unauthorized.")


@frozen
class Accounts:
    """The use cases; `space` is always the one of the request's host."""

    log = Logger()

    database: Database
    directory: SpaceDirectory
    rules: AccountRules
    api_keys: ApiKeys

    async def space_for(self, space: Space, actor: Actor, domain: str | None) -> Space:
        """Return the Space that a new account goes to: a super administrator may name one by its domain.

        :raise Forbidden: a super administrator names a domain that no Space has.
        :raise Invalid: somebody else does.
        """
        if domain is None or domain == space.domain:
            return space
        known = await self.directory.by_domain(domain)
        if known is None and actor.super_admin:
            raise Forbidden(SPACE_FULL)
        if known is None:
            raise Invalid.field("domain", Text("The domain is not that of a Space"))
        return known.space if actor.super_admin else space

    async def refuse_if_full(self, space: Space) -> None:
        """Refuse where no account more fits in; the database decides again when one is created.

        :raise Forbidden: the Space has as many accounts as it may.
        """
        if space.max_accounts and await accounts.count(self.database, space.domain) >= space.max_accounts:
            raise Forbidden(SPACE_FULL)

    async def faults(self, space: Space, fields: Fields, but: int | None = None) -> dict[str, list[Text]]:
        """Return what would be refused of an administrator's fields."""
        return await self.rules.faults(self.database, space.domain, fields, by_admin=True, but=but)

    async def create(self, space: Space, new: NewAccount, password: str, origin: Origin, made_by: str) -> Account:
        """Create an account in a Space; `new` has no password yet.

        :raise Invalid: fields are wrong, or names taken.
        :raise Forbidden: the Space is full.
        """
        fields = Fields(new.username, password, new.email, new.phone)
        await self.rules.refuse(self.database, space.domain, fields, by_admin=True)
        new = evolve(new, domain=space.domain, password=hashed(space, new.username, password))
        try:
            account = await account_changes.create(self.database, new, new_provisioning_token(), origin, made_by)
        except ConstraintViolated as violation:
            if violation.constraint == "spaces_full":
                raise Forbidden(SPACE_FULL) from None
            raise Invalid(without_nothing(await self.faults(space, fields))) from None
        self.log.info(
            "Account {id} of {domain} was created", event="account.created", id=account.id, domain=space.domain
        )
        return account

    async def show(self, actor: Actor, account_id: int) -> Account:
        """Return an account within the actor's reach.

        :raise NotFound: there is none.
        """
        return _found(await accounts.find(self.database, account_id, domain_within_reach(actor)))

    async def by_address(self, actor: Actor, address: SipAddress) -> Account:
        """Return the account of a SIP address.

        :raise NotFound: there is none within the actor's reach.
        """
        if not actor.reaches(address.domain):
            raise NotFound
        return _found(await accounts.find_by_address(self.database, address.username, address.domain))

    async def by_email(self, actor: Actor, email: str) -> Account:
        """Return the account with an email address, the oldest where there are several.

        :raise NotFound: there is none within the actor's reach.
        """
        return _found(await accounts.find_by_email(self.database, email, domain_within_reach(actor)))

    async def change(
        self, actor: Actor, account_id: int, changes: dict[str, Any], password: str | None, *, merges: bool = False
    ) -> Account:
        """Change fields of an account; a `dictionary` replaces the whole one, a password all stored ones.

        Where it `merges`, the entries of the `dictionary` are set, or deleted where they are None; all others stay.

        :raise NotFound: no such account within the actor's reach.
        :raise Invalid: fields are wrong, names taken, or a new name comes without a password.
        """
        dictionary = changes.pop("dictionary", None)
        try:
            async with self.database.transaction() as transaction:
                before = _found(await account_changes.lock(transaction, account_id, domain_within_reach(actor)))
                after = evolve(before, **changes)
                fields = Fields(after.username, password, after.email, after.phone)
                await self._refuse_changes(transaction, before, fields)
                await account_changes.change(transaction, after)
                if password is not None:
                    await self._set_password(transaction, after, password)
                if dictionary is not None:
                    write = account_changes.merge_dictionary if merges else account_changes.set_dictionary
                    await write(transaction, account_id, dictionary)
        except ConstraintViolated:
            faults = await self.rules.faults(self.database, after.domain, fields, by_admin=True, but=account_id)
            raise Invalid(without_nothing(faults)) from None
        self.api_keys.forget(account_id)
        return await self.show(actor, account_id)

    async def delete(self, actor: Actor, account_id: int) -> None:
        """Delete an account; a tombstone stays on its name.

        :raise NotFound: no such account within the actor's reach.
        """
        async with self.database.transaction() as transaction:
            _found(await account_changes.lock(transaction, account_id, domain_within_reach(actor)))
            await account_changes.delete(transaction, account_id)
        self.log.info("Account {id} was deleted", event="account.deleted", id=account_id)
        self.api_keys.forget(account_id)

    async def set_activated(self, actor: Actor, account_id: int, *, value: bool) -> Account:
        """Activate or deactivate an account.

        :raise NotFound: no such account within the actor's reach.
        """
        reach = domain_within_reach(actor)
        if not await account_changes.set_activated(self.database, account_id, reach, value=value):
            raise NotFound
        return await self.show(actor, account_id)

    async def set_blocked(self, actor: Actor, account_id: int, *, value: bool) -> Account:
        """Block or unblock an account.

        :raise NotFound: no such account within the actor's reach.
        """
        reach = domain_within_reach(actor)
        if not await account_changes.set_blocked(self.database, account_id, reach, value=value):
            raise NotFound
        done = "blocked" if value else "unblocked"
        event = "account.blocked" if value else "account.unblocked"
        self.log.info("Account {id} was {done}", event=event, id=account_id, done=done)
        self.api_keys.forget(account_id)
        return await self.show(actor, account_id)

    async def renew_provisioning_token(self, actor: Actor, account_id: int, origin: Origin) -> Account:
        """Give an account a new provisioning token; the one before is void.

        :raise NotFound: no such account within the actor's reach.
        """
        reach = domain_within_reach(actor)
        token = new_provisioning_token()
        if not await provisioning_tokens.renew(self.database, account_id, reach, token, origin):
            raise NotFound
        return await self.show(actor, account_id)

    async def _refuse_changes(self, transaction: Runner, before: Account, fields: Fields) -> None:
        # The HA1 contains the name: renamed without a password, nobody could sign in any more.
        if fields.username != before.username and before.passwords and fields.password is None:
            faults = await self.rules.faults(transaction, before.domain, fields, by_admin=True, but=before.id)
            reason = Text("A new username needs a password, since the stored one contains the name")
            raise Invalid({**faults, "password": [reason]})
        checked = fields if fields.username != before.username else evolve(fields, username=None)
        if fields.email == before.email:
            checked = evolve(checked, email=None)
        if fields.phone == before.phone:
            checked = evolve(checked, phone=None)
        await self.rules.refuse(transaction, before.domain, checked, by_admin=True, but=before.id)

    async def _set_password(self, transaction: Runner, account: Account, password: str) -> None:
        # Asked within the transaction: waiting for a second connection, transactions could hold each other up.
        space = await spaces.find(transaction, account.domain)
        stored = space and hashed(space, account.username, password)
        if stored:
            await account_changes.set_password(transaction, account.id, stored)


def domain_within_reach(actor: Actor) -> str | None:
    """Return the one domain whose accounts an administrator reaches, None for all."""
    return None if actor.super_admin else actor.domain


def hashed(space: Space, username: str, password: str) -> StoredPassword | None:
    """Return what is stored of a password in a Space; None in one without Digest."""
    if space.digest is None:
        return None
    return passwords.hash_password(space.digest.default_password_algorithm, username, space.digest.realm, password)


def new_provisioning_token() -> str:
    """Return a fresh provisioning token."""
    return random_token(PROVISIONING_TOKEN_LENGTH)


def _found(account: Account | None) -> Account:
    if account is None:
        raise NotFound
    return account
