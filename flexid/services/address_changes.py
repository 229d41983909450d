"""New email addresses and phone numbers of users: a code goes there, and comes back."""

from __future__ import annotations

import hmac
from typing import Literal

from attrs import frozen

from flexid.base.clock import random_code
from flexid.base.settings import Lifetimes
from flexid.base.text import Text
from flexid.domain.account import Account, Actor, Origin
from flexid.domain.errors import Blocked, Expired, Forbidden, Invalid, NotFound
from flexid.domain.mail import Mail
from flexid.domain.outbox import Outgoing
from flexid.domain.sms import CodeSms
from flexid.services.account_rules import TAKEN, AccountRules, Fields
from flexid.services.api_keys import ApiKeys
from flexid.services.blocking import Blocking
from flexid.services.limits import Limits
from flexid.store import account_changes, accounts, change_codes, creation_tokens, outbox
from flexid.store.database import Database
from flexid.store.failures import ConstraintViolated
from flexid.store.query import Runner

Kind = Literal["email", "phone"]

CODE_LENGTH = 4
MOST_ATTEMPTS = 3
WRONG = Text("The code should be valid")
UNCHANGED = {
    "email": Text("The email must differ from the present one"),
    "phone": Text("The phone must differ from the present one"),
}


@frozen
class AddressChanges:
    """The use cases; the actor is the account."""

    database: Database
    rules: AccountRules
    api_keys: ApiKeys
    blocking: Blocking
    limits: Limits
    lifetimes: Lifetimes

    async def refuse_unless_validated(self, actor: Actor) -> None:
        """Refuse accounts of which nobody knows whether they are a person's.

        :raise Forbidden: no creation token was used up for it.
        """
        if not await creation_tokens.is_linked(self.database, actor.account_id):
            raise Forbidden(Text("Account unvalidated"))

    async def request(self, actor: Actor, kind: Kind, address: str, language: str, origin: Origin) -> None:
        """Send a code to a new address; one that was sent before is void.

        :raise Invalid: it is no such address, today's, or somebody else's.
        :raise Forbidden: no creation token was used up for the account.
        :raise Blocked: the account has asked for too many codes, and is blocked now.
        :raise Throttled: too many SMS went to this number, or were asked for from this client's address.
        """
        await self.refuse_unless_validated(actor)
        async with self.database.transaction() as transaction:
            account = await account_changes.lock(transaction, actor.account_id)
            if account is None:
                raise NotFound
            await self._refuse(transaction, account, kind, address)
            refused = await self.blocking.refuses(transaction, account.id)
            if not refused:
                if kind == "phone":
                    await self.limits.spend(transaction, self.limits.sms(address, origin.ip))
                code = random_code(CODE_LENGTH)
                await change_codes.create(transaction, kind, account.id, address, code, origin)
                await outbox.put(transaction, self._message(account, kind, address, code, language))
        if refused:
            self.api_keys.forget(account.id)
            raise Blocked

    async def confirm(self, actor: Actor, kind: Kind, code: str) -> Account:
        """Set the address that a code came to, activate the account and return it.

        :raise NotFound: no change is pending, or its code was guessed at too often.
        :raise Expired: the code is too old.
        :raise Invalid: the code is wrong, or the address was taken meanwhile.
        """
        try:
            async with self.database.transaction() as transaction:
                is_right = await self._try(transaction, actor, kind, code)
        except ConstraintViolated:
            raise Invalid.field(kind, TAKEN[kind]) from None
        if not is_right:
            raise Invalid.field("code", WRONG)
        account = await accounts.find(self.database, actor.account_id)
        if account is None:
            raise NotFound
        return account

    async def _try(self, transaction: Runner, actor: Actor, kind: Kind, code: str) -> bool:
        """Change the address if the code is right; a wrong one is counted, so the transaction has to be committed."""
        # Locked in the order in which requests for codes lock.
        account = await account_changes.lock(transaction, actor.account_id)
        minutes = self.lifetimes.email_code if kind == "email" else self.lifetimes.phone_code
        tried = await change_codes.attempt(transaction, kind, actor.account_id, minutes, MOST_ATTEMPTS)
        if account is None or tried is None:
            raise NotFound(Text("No change is pending"))
        if tried.expired:
            raise Expired(Text("The code has expired"))
        is_right = hmac.compare_digest(tried.code.encode(), code.encode())
        if is_right or tried.attempts >= MOST_ATTEMPTS:
            await change_codes.void(transaction, kind, tried.id)
        if is_right:
            await account_changes.set_address(transaction, kind, account.id, tried.address)
        return is_right

    async def _refuse(self, transaction: Runner, account: Account, kind: Kind, address: str) -> None:
        today = account.email if kind == "email" else account.phone
        if address.lower() == (today or "").lower():
            raise Invalid.field(kind, UNCHANGED[kind])
        fields = Fields(email=address) if kind == "email" else Fields(phone=address)
        if faults := await self.rules.faults(transaction, account.domain, fields, by_admin=False, but=account.id):
            raise Invalid(faults)

    def _message(self, account: Account, kind: Kind, address: str, code: str, language: str) -> Outgoing:
        if kind == "phone":
            return CodeSms(address, "validation", code, self.lifetimes.phone_code).outgoing(account.domain)
        values = {"account": account.address, "code": code, "minutes": self.lifetimes.email_code}
        return Mail("email_validation", address, language, values).outgoing(account.domain)
