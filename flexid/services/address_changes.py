"""New email addresses and phone numbers of users: a code goes there, and comes back."""

from __future__ import annotations

from attrs import frozen

from flexid.base.clock import random_code
from flexid.base.settings import Lifetimes
from flexid.base.text import Text
from flexid.domain.account import Account, Actor, Origin
from flexid.domain.errors import Blocked, Forbidden, Invalid, NotFound
from flexid.domain.mail import Mail
from flexid.domain.outbox import Outgoing
from flexid.domain.sms import CodeSms
from flexid.domain.tokens import AddressKind
from flexid.services.account_rules import TAKEN, AccountRules, Fields
from flexid.services.api_keys import ApiKeys
from flexid.services.blocking import Blocking
from flexid.services.codes import CODE_LENGTH, NOTHING_PENDING, WRONG, confirmed_address
from flexid.services.limits import Limits
from flexid.store import account_changes, accounts, change_codes, creation_tokens, outbox
from flexid.store.database import Database
from flexid.store.failures import ConstraintViolated
from flexid.store.query import Runner

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

    async def request(self, actor: Actor, kind: AddressKind, address: str, language: str, origin: Origin) -> None:
        """Send a code to a new address; one that was sent before is void.

        :raise Invalid: it is no such address, today's, or somebody else's.
        :raise Blocked: the account has asked for too many codes, and is blocked now.
        :raise Throttled: too many SMS went to this number, or were asked for from this client's address.
        """
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

    async def confirm(self, actor: Actor, kind: AddressKind, code: str) -> Account:
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

    async def _try(self, transaction: Runner, actor: Actor, kind: AddressKind, code: str) -> bool:
        """Change the address if the code is right; a wrong one is counted, so the transaction has to be committed."""
        account = await account_changes.lock(transaction, actor.account_id)
        if account is None:
            raise NotFound(NOTHING_PENDING)
        address = await confirmed_address(transaction, kind, account.id, code, self.lifetimes)
        if address is not None:
            await account_changes.set_address(transaction, kind, account.id, address)
        return address is not None

    async def _refuse(self, transaction: Runner, account: Account, kind: AddressKind, address: str) -> None:
        today = account.email if kind == "email" else account.phone
        if address.lower() == (today or "").lower():
            raise Invalid.field(kind, UNCHANGED[kind])
        fields = Fields(email=address) if kind == "email" else Fields(phone=address)
        if faults := await self.rules.faults(transaction, account.domain, fields, by_admin=False, but=account.id):
            raise Invalid(faults)

    def _message(self, account: Account, kind: AddressKind, address: str, code: str, language: str) -> Outgoing:
        if kind == "phone":
            return CodeSms(address, "validation", code, self.lifetimes.phone_code).outgoing(account.domain)
        values = {"account": account.address, "code": code, "minutes": self.lifetimes.email_code}
        return Mail("email_validation", address, language, values).outgoing(account.domain)
