"""Wizards: administrators make the links, anybody follows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from flexid.base.clock import random_token
from flexid.base.text import Text
from flexid.domain.account import Actor, Origin
from flexid.domain.errors import Invalid
from flexid.domain.space import Space
from flexid.domain.wizard import TOKEN_LENGTH, Intent, OpenWizard, Wizard
from flexid.services.accounts import domain_within_reach, new_provisioning_token
from flexid.store import accounts, provisioning_tokens, wizards
from flexid.store.database import Database
from flexid.store.wizards import FoundWizard


@frozen
class Wizards:
    """The use cases; `token_minutes` is how long provisioning tokens live, 0 = for ever."""

    database: Database
    token_minutes: int

    async def faults(self, values: Mapping[str, Any]) -> dict[str, list[Text]]:
        """Return what is missing in these fields."""
        if values.get("linphone_action") == "call" and not values.get("sip"):
            return {"sip": [Text("The {field} field is required.", field="sip")]}
        return {}

    async def create(
        self, actor: Actor, provisioning_account_id: int | None, intent: Intent
    ) -> tuple[Wizard, str | None]:
        """Make a link; return it, and the domain whose Space serves it: its account's, None where any does.

        :raise Invalid: there is nobody to call, or no such account within the actor's reach.
        """
        faults = await self.faults({"linphone_action": intent.action, "sip": intent.sip})
        domain = None
        if provisioning_account_id is not None:
            account = await accounts.find(self.database, provisioning_account_id, domain_within_reach(actor))
            if account is None:
                faults["provisioning_account_id"] = [Text("There is no such account")]
            else:
                domain = account.domain
        if faults:
            raise Invalid(faults)
        token = random_token(TOKEN_LENGTH)
        await wizards.create(self.database, token, actor.account_id, provisioning_account_id, intent)
        return Wizard(token, provisioning_account_id, intent, used_at=None), domain

    async def open(self, space: Space, token: str, origin: Origin) -> OpenWizard | None:
        """Return what a link of a Space offers; None if it is used up or none.

        Opening it burns nothing: the account's current provisioning token is handed out, or a new one where there is
        none, and the same to everybody who comes later.
        """
        found = await wizards.find(self.database, token, space.domain, self.token_minutes)
        if found is None:
            return None
        if found.account_id is None:
            return OpenWizard(found.intent)
        if found.handed_out is None:
            found = await self._with_token(space, token, origin)
        if found is None or found.handed_out is None or found.handed_out != found.current_token:
            return None
        return OpenWizard(found.intent, found.handed_out, found.account)

    async def press(self, token: str) -> Intent | None:
        """Use up a link without account, and return what Linphone is to do; None if it is used up or none."""
        return await wizards.use(self.database, token)

    async def _with_token(self, space: Space, token: str, origin: Origin) -> FoundWizard | None:
        async with self.database.transaction() as transaction:
            found = await wizards.lock(transaction, token, space.domain, self.token_minutes)
            if found is None or found.account_id is None:
                return found
            if found.handed_out is not None:
                # Somebody else was first, and what the lock waited for is older than what that one did.
                return await wizards.find(transaction, token, space.domain, self.token_minutes)
            provisioning_token = found.current_token
            if provisioning_token is None:
                provisioning_token = new_provisioning_token()
                await provisioning_tokens.renew(transaction, found.account_id, space.domain, provisioning_token, origin)
            await wizards.hand_out(transaction, token, provisioning_token)
            return FoundWizard(
                found.intent, found.account_id, found.account, provisioning_token, current_token=provisioning_token
            )
