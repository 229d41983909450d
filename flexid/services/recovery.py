"""New passwords for those who have forgotten theirs: a code goes to the address of their account.

What is answered, and how long that takes, is the same whether there is such an account or not: codes are made
afterwards, by a timer.
"""

from __future__ import annotations

import hashlib

from attrs import frozen

from flexid.base.clock import random_code, random_token
from flexid.base.settings import Lifetimes
from flexid.base.text import Text
from flexid.domain import names
from flexid.domain.account import Origin
from flexid.domain.errors import Expired, Forbidden, Invalid, NotFound
from flexid.domain.mail import Mail
from flexid.domain.outbox import Outgoing
from flexid.domain.sms import CodeSms
from flexid.domain.space import Space
from flexid.domain.tokens import AddressKind
from flexid.services.account_rules import AccountRules, Fields
from flexid.services.accounts import hashed
from flexid.services.api_keys import ApiKeys
from flexid.services.blocking import Blocking
from flexid.services.codes import CODE_LENGTH, MOST_ATTEMPTS, WRONG, is_same
from flexid.services.limits import Limits
from flexid.store import account_changes, outbox, push_tokens, recoveries, sessions
from flexid.store.database import Database
from flexid.store.query import Runner
from flexid.store.recoveries import Asked, Browser, Opened, Recoverable

TOKEN_LENGTH = 43
"""256 bits in letters and digits."""
NO_PASSWORDS = Text("This Space has no digest authentication")
TOO_MANY = Text("Too many codes were asked for with this address. Wait half an hour, or ask your administrator.")
GONE = Text("This code is void, or too old. Ask for another one.")
GUESSED = Text("The code was wrong three times, so it is void. Ask for another one.")


@frozen
class Recovery:
    """The use cases; whoever asks is known by a token that the browser keeps."""

    database: Database
    rules: AccountRules
    api_keys: ApiKeys
    blocking: Blocking
    limits: Limits
    lifetimes: Lifetimes

    def refuse_if_closed(self, space: Space) -> None:
        """Refuse where there are no passwords.

        :raise Forbidden: the Space has no Digest.
        """
        if space.digest is None:
            raise Forbidden(NO_PASSWORDS)

    async def refuse_bad_token(self, space: Space, recovery_token: str) -> None:
        """Look at the recovery token of an application, which does not use it up.

        :raise NotFound: it is unknown, used, or too old.
        """
        minutes = self.lifetimes.recovery_token
        if not await push_tokens.is_good_for_recovery(self.database, recovery_token, space.domain, minutes):
            raise NotFound

    async def ask(
        self,
        space: Space,
        kind: AddressKind,
        address: str,
        language: str,
        origin: Origin,
        recovery_token: str | None = None,
    ) -> str:
        """Ask for a code, and return the token that goes on with it.

        :param recovery_token: uses up the token that an application got by push; phone numbers need one.
        :raise Invalid: it is no such address.
        :raise NotFound: the recovery token is unknown, used, or too old.
        :raise Forbidden: too many codes were asked for with this address; or the Space stores no passwords.
        :raise Throttled: too many codes went to this address, or were asked for from this client's.
        """
        self.refuse_if_closed(space)
        fields = Fields(email=address) if kind == "email" else Fields(phone=address)
        if faults := await self.rules.broken(self.database, fields, by_admin=False):
            raise Invalid(faults)
        token = random_token(TOKEN_LENGTH)
        async with self.database.transaction() as transaction:
            await self.limits.spend(transaction, self.limits.code(kind, address, origin.ip))
            token_id = await self._spend(transaction, space, recovery_token) if kind == "phone" else None
            asked = Asked(0, space.domain, kind, address, language, token_id, origin)
            minutes = self.blocking.settings.time_period_check
            before = await recoveries.create(transaction, _hash(token), asked, minutes)
        most = self.blocking.settings.amount_events_authorized_during_period
        if most and before >= most:
            raise Forbidden(TOO_MANY)
        return token

    async def answer(self) -> int:
        """Send the codes of the recovery that has waited longest; return whether there was one.

        Accounts that have had too many codes get blocked instead.
        """
        refused = []
        async with self.database.transaction() as transaction:
            asked = await recoveries.claim(transaction)
            if asked is None:
                return 0
            code = random_code(CODE_LENGTH)
            served = []
            for account in _of_one_owner(asked, await recoveries.accounts(transaction, asked)):
                if await self.blocking.refuses(transaction, account.id):
                    refused.append(account.id)
                else:
                    await recoveries.create_code(transaction, asked, account, code)
                    served.append(account)
            if served:
                await outbox.put(transaction, self._message(asked, served, code))
        for account_id in refused:
            self.api_keys.forget(account_id)
        return 1

    async def show(self, space: Space, token: str) -> Opened:
        """Return a recovery that can go on.

        :raise Expired: it is over.
        """
        opened = await recoveries.find(self.database, self._browser(space, token), MOST_ATTEMPTS)
        if opened is None:
            raise Expired(GONE)
        return opened

    async def confirm(self, space: Space, token: str, code: str) -> None:
        """Take the code that came to the address.

        :raise Invalid: it is wrong.
        :raise Expired: it was wrong too often, was used, or is too old.
        """
        async with self.database.transaction() as transaction:
            tried = await recoveries.attempt(transaction, self._browser(space, token), MOST_ATTEMPTS)
            if tried is None:
                raise Expired(GONE)
            recovery_id, attempts, codes = tried
            # One code for all accounts of the address.
            is_right = bool(codes) and is_same(codes[0], code)
            if is_right:
                await recoveries.confirm(transaction, recovery_id)
            elif attempts >= MOST_ATTEMPTS:
                await recoveries.void(transaction, recovery_id)
        if not is_right and attempts >= MOST_ATTEMPTS:
            raise Expired(GUESSED)
        if not is_right:
            raise Invalid.field("code", WRONG)

    async def usernames(self, space: Space, token: str) -> list[str]:
        """Return the accounts whose password may be set now.

        :raise Expired: none is.
        """
        found = await recoveries.confirmed(self.database, self._browser(space, token))
        if not found:
            raise Expired(GONE)
        return [account.username for account in found]

    async def finish(self, space: Space, token: str, username: str, password: str) -> None:
        """Set the password of one account, once, and end its sessions.

        :raise Invalid: the password is too short or too long.
        :raise Expired: it is not an account of this recovery, or the recovery is over.
        """
        self.refuse_if_closed(space)
        if fault := names.password_fault(password, self.rules.settings.password_min_length):
            raise Invalid.field("password", fault)
        browser = self._browser(space, token)
        async with self.database.transaction() as transaction:
            found = await recoveries.confirmed(transaction, browser)
            account_id = next((each.id for each in found if each.username == username), None)
            account = account_id and await account_changes.lock(transaction, account_id)
            if not account or account.blocked or not await recoveries.end(transaction, browser):
                raise Expired(GONE)
            stored = hashed(space, account.username, password)
            if stored:
                await account_changes.set_password(transaction, account.id, stored)
            # Those that were begun without a password, too.
            await sessions.end_of_account(transaction, account.id)

    async def _spend(self, transaction: Runner, space: Space, recovery_token: str | None) -> int:
        minutes = self.lifetimes.recovery_token
        token_id = await push_tokens.spend_for_recovery(transaction, recovery_token or "", space.domain, minutes)
        if token_id is None:
            raise NotFound
        return token_id

    def _browser(self, space: Space, token: str) -> Browser:
        return Browser(_hash(token), space.domain, self.lifetimes.recovery_code)

    def _message(self, asked: Asked, served: list[Recoverable], code: str) -> Outgoing:
        recipient = served[0].address
        if asked.kind == "phone":
            return CodeSms(recipient, "recovery", code).outgoing(asked.domain)
        accounts = [f"{account.username}@{asked.domain}" for account in served]
        values = {"accounts": accounts, "code": code, "minutes": self.lifetimes.recovery_code}
        return Mail("recovery_code", recipient, asked.language, values).outgoing(asked.domain)


def _of_one_owner(asked: Asked, found: list[Recoverable]) -> list[Recoverable]:
    """Return the accounts whose address is written alike: letters may count before the @, and one mail goes out."""
    spellings = [account.address for account in found]
    if not spellings:
        return []
    spelling = asked.address if asked.address in spellings else spellings[0]
    return [account for account in found if account.address == spelling]


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
