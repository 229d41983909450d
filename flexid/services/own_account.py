"""What users do with their own account."""

from __future__ import annotations

from attrs import frozen

from flexid.base.text import Text
from flexid.domain import names, passwords
from flexid.domain.account import Account, Actor, Origin
from flexid.domain.errors import Forbidden, Invalid, NotFound
from flexid.services.account_rules import AccountRules
from flexid.services.accounts import hashed, new_provisioning_token
from flexid.services.api_keys import ApiKeys
from flexid.services.limits import Limits
from flexid.services.space_directory import SpaceDirectory
from flexid.store import account_changes, accounts, provisioning_tokens
from flexid.store.database import Database


@frozen
class OwnAccount:
    """The use cases; the actor is the account."""

    database: Database
    directory: SpaceDirectory
    rules: AccountRules
    api_keys: ApiKeys
    limits: Limits

    async def show(self, actor: Actor) -> Account:
        """Return the account.

        :raise NotFound: it was deleted a moment ago.
        """
        return actor.account or await self._read(actor)

    async def delete(self, actor: Actor) -> int:
        """Delete the account; a tombstone stays on its name. Return how many there were."""
        async with self.database.transaction() as transaction:
            deleted = await account_changes.delete(transaction, actor.account_id)
        self.api_keys.forget(actor.account_id)
        return deleted

    async def renew_provisioning_token(self, actor: Actor, origin: Origin) -> Account:
        """Return the account with a new provisioning token; the one before is void."""
        await provisioning_tokens.renew(self.database, actor.account_id, None, new_provisioning_token(), origin)
        return await self._read(actor)

    async def renew_api_key(self, actor: Actor, origin: Origin) -> str:
        """Return a new API key, bound to the caller's address; the one before is void."""
        return await self.api_keys.renew_user_key(actor.account_id, origin.ip)

    async def change_password(self, actor: Actor, password: str, old_password: str | None, origin: Origin) -> Account:
        """Set a new password and activate the account; the old one must be given if there is one.

        :raise Invalid: the old password is wrong, or the new one too short or too long.
        :raise Forbidden: the Space has no Digest, so it stores no passwords.
        :raise Throttled: the old password was guessed at too often.
        """
        known = await self.directory.by_domain(actor.domain)
        if known is None or known.space.digest is None:
            raise Forbidden(Text("This Space has no digest authentication"))
        budget = self.limits.sign_in(f"{actor.username}@{actor.domain}", origin.ip)
        await self.limits.refuse_if_spent(self.database, budget)
        fault = names.password_fault(password, self.rules.settings.password_min_length)
        async with self.database.transaction() as transaction:
            account = await account_changes.lock(transaction, actor.account_id)
            if account is None:
                raise NotFound
            is_known = not account.passwords or any(
                passwords.matches(stored, account.username, known.space.realm, old_password or "")
                for stored in account.passwords
            )
            stored = hashed(known.space, account.username, password)
            if is_known and not fault and stored:
                await account_changes.set_password(transaction, account.id, stored)
                await account_changes.set_activated(transaction, account.id, None, value=True)
        if not is_known:
            await self.limits.count(self.database, budget)
        if fault or not is_known:
            wrong = [] if is_known else [Text("Incorrect old password")]
            raise Invalid({"old_password": wrong, "password": [fault] if fault else []})
        return await self._read(actor)

    async def _read(self, actor: Actor) -> Account:
        account = await accounts.find(self.database, actor.account_id)
        if account is None:
            raise NotFound
        return account
