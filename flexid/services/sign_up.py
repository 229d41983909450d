"""Accounts that people make by themselves on the portal: a code goes to an address of theirs, and activates it."""

from __future__ import annotations

import hashlib

from attrs import field, frozen

from flexid.base.clock import random_code, random_token
from flexid.base.settings import Lifetimes
from flexid.base.text import Text
from flexid.domain.account import NewAccount, Origin
from flexid.domain.errors import Blocked, Expired, Forbidden, Invalid, NotFound
from flexid.domain.mail import Mail
from flexid.domain.outbox import Outgoing
from flexid.domain.sms import CodeSms
from flexid.domain.space import Space
from flexid.domain.tokens import AddressKind
from flexid.services.account_rules import TAKEN, AccountRules, Fields
from flexid.services.accounts import hashed, new_provisioning_token
from flexid.services.blocking import Blocking
from flexid.services.codes import CODE_LENGTH, WRONG, confirmed_address
from flexid.services.limits import Limits
from flexid.services.sessions import Sessions
from flexid.store import account_changes, accounts, change_codes, outbox, phone_countries, registrations
from flexid.store.database import Database
from flexid.store.failures import ConstraintViolated
from flexid.store.query import Runner
from flexid.store.registrations import Choice, Registration

TOKEN_LENGTH = 43
"""256 bits in letters and digits."""
CLOSED = Text("Only administrators create accounts here")
NOT_BY_PHONE = Text("Accounts cannot be created by phone number here")
FULL = Text("There is no room for another account")
GONE = Text("There is nothing to confirm here any more. Sign in, or begin once more.")
VOID = Text("This code is void. Ask for another one.")


@frozen
class Wish:
    """An account that somebody wants, and the address that is to confirm it."""

    kind: AddressKind
    username: str
    address: str
    password: str = field(repr=False)
    newsletter: bool
    language: str

    @property
    def fields(self) -> Fields:
        """Return what the rules for accounts look at."""
        email, phone = (self.address, None) if self.kind == "email" else (None, self.address)
        return Fields(self.username, self.password, email, phone)


@frozen
class SignUp:
    """The use cases; whoever begins is known by a token that the browser keeps."""

    database: Database
    rules: AccountRules
    blocking: Blocking
    limits: Limits
    sessions: Sessions
    lifetimes: Lifetimes

    def refuse_if_closed(self, space: Space, kind: AddressKind | None = None) -> None:
        """Refuse where people do not make accounts by themselves, or not in this way.

        :raise Forbidden: the Space says so, or stores no passwords to sign in with.
        """
        if not space.public_registration or space.digest is None:
            raise Forbidden(CLOSED)
        if kind == "phone" and not space.phone_registration:
            raise Forbidden(NOT_BY_PHONE)

    async def is_open_for_phones(self, space: Space) -> bool:
        """Say whether somebody can register by a phone number."""
        return space.phone_registration and await phone_countries.is_any_active(self.database)

    async def refuse_if_full(self, space: Space) -> None:
        """Refuse where no account more fits in.

        :raise Forbidden: the Space has as many accounts as it may.
        """
        if space.max_accounts and await accounts.count(self.database, space.domain) >= space.max_accounts:
            raise Forbidden(FULL)

    async def count(self, origin: Origin) -> None:
        """Count a form, right or wrong.

        :raise Throttled: too many came from this address.
        """
        await self.limits.spend(self.database, self.limits.registrations(origin.ip))

    async def faults(self, fields: Fields) -> dict[str, list[Text]]:
        """Return which rules are broken that tell nothing of other accounts."""
        return await self.rules.broken(self.database, fields, by_admin=False)

    async def begin(self, space: Space, wish: Wish, before: str | None, origin: Origin) -> str:
        """Create an account, not activated, send a code to its address, and return the token that goes on with it.

        Whether the address is somebody's is told to whoever types the code only. What the token `before` began is
        dropped.

        :raise Invalid: fields are wrong, or the username is taken.
        :raise Forbidden: the Space is closed or full.
        :raise Throttled: too many codes went to this address, or were asked for from this client's.
        """
        self.refuse_if_closed(space, wish.kind)
        stored = hashed(space, wish.username, wish.password)
        if stored is None:
            raise Forbidden(CLOSED)
        if faults := await self.faults(wish.fields):
            raise Invalid(faults)
        token = random_token(TOKEN_LENGTH)
        new = NewAccount(username=wish.username, domain=space.domain)
        try:
            async with self.database.transaction() as transaction:
                minutes = self.lifetimes.registration
                before_hash = _hash(before or token)
                await registrations.make_way(transaction, before_hash, space.domain, wish.username, minutes)
                account = await account_changes.create(transaction, new, new_provisioning_token(), origin, space.name)
                begun = Registration(account.id, wish.kind, wish.address, wish.newsletter, wish.username)
                await registrations.create(transaction, _hash(token), begun, Choice(space.realm, stored))
                await self._send(transaction, space, begun, wish.language, origin)
        except ConstraintViolated as violation:
            if violation.constraint == "spaces_full":
                raise Forbidden(FULL) from None
            raise Invalid.field("username", TAKEN["username"]) from None
        return token

    async def show(self, space: Space, token: str) -> Registration:
        """Return what waits for its code.

        :raise Expired: nothing does any more.
        """
        return await self._find(self.database, space, token)

    async def send_again(self, space: Space, token: str, language: str, origin: Origin) -> None:
        """Send another code; the one before is void.

        :raise Expired: nothing waits for a code any more.
        :raise Blocked: too many codes were asked for, and the account is blocked now.
        :raise Throttled: too many codes went to this address, or were asked for from this client's.
        """
        async with self.database.transaction() as transaction:
            begun = await self._find(transaction, space, token)
            await account_changes.lock(transaction, begun.account_id)
            refused = await self.blocking.refuses(transaction, begun.account_id)
            if not refused:
                await self._send(transaction, space, begun, language, origin)
        if refused:
            raise Blocked

    async def confirm(self, space: Space, token: str, code: str, language: str, origin: Origin) -> str:
        """Activate the account by the code that came to its address, and return the id of a new session.

        :raise Expired: nothing waits for a code any more.
        :raise Invalid: the code is wrong or void, or the address belongs to another account.
        """
        try:
            async with self.database.transaction() as transaction:
                begun = await self._find(transaction, space, token)
                await account_changes.lock(transaction, begun.account_id)
                address = await self._typed(transaction, begun, code)
                if address is not None:
                    # The password that was chosen comes in by the account's activation, whoever does that.
                    await account_changes.set_address(transaction, begun.kind, begun.account_id, address)
                    await self._subscribe(transaction, space, begun, language)
        except ConstraintViolated:
            raise Invalid.field(begun.kind, TAKEN[begun.kind]) from None
        if address is None:
            raise Invalid.field("code", WRONG)
        session_id = await self.sessions.begin(space, begun.account_id, origin)
        if session_id is None:
            raise Expired(GONE)
        return session_id

    async def _find(self, runner: Runner, space: Space, token: str) -> Registration:
        found = await registrations.find(runner, _hash(token), space.domain, self.lifetimes.registration)
        if found is None:
            raise Expired(GONE)
        return found

    async def _typed(self, transaction: Runner, begun: Registration, code: str) -> str | None:
        try:
            return await confirmed_address(transaction, begun.kind, begun.account_id, code, self.lifetimes)
        except (NotFound, Expired):
            raise Invalid.field("code", VOID) from None

    async def _send(
        self, transaction: Runner, space: Space, begun: Registration, language: str, origin: Origin
    ) -> None:
        await self.limits.spend(transaction, self.limits.code(begun.kind, begun.address, origin.ip))
        code = random_code(CODE_LENGTH)
        await change_codes.create(transaction, begun.kind, begun.account_id, begun.address, code, origin)
        await outbox.put(transaction, self._message(space, begun, code, language))

    def _message(self, space: Space, begun: Registration, code: str, language: str) -> Outgoing:
        if begun.kind == "phone":
            return CodeSms(begun.address, "creation", code).outgoing(space.domain)
        account = f"{begun.username}@{space.domain}"
        values = {"account": account, "code": code, "minutes": self.lifetimes.email_code}
        return Mail("registration_validation", begun.address, language, values).outgoing(space.domain)

    async def _subscribe(self, transaction: Runner, space: Space, begun: Registration, language: str) -> None:
        recipient = space.newsletter_registration_address
        if begun.newsletter and begun.kind == "email" and recipient:
            mail = Mail("newsletter_registration", recipient, language, {"email": begun.address})
            await outbox.put(transaction, mail.outgoing(space.domain))


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
