"""New passwords by mail: an administrator sends a link, and whoever reads that mail chooses a password."""

from __future__ import annotations

from attrs import frozen

from flexid.base.clock import random_token
from flexid.base.public import PublicAddress
from flexid.base.settings import Lifetimes
from flexid.base.text import Text
from flexid.domain import names
from flexid.domain.account import Actor, Origin
from flexid.domain.errors import Expired, Forbidden, Invalid, NotFound
from flexid.domain.mail import Mail
from flexid.domain.space import Space
from flexid.services.account_mails import mailed_account
from flexid.services.accounts import hashed
from flexid.store import account_changes, outbox, password_resets
from flexid.store.database import Database

TOKEN_LENGTH = 16
GONE = Text("This link was used, or is too old. Ask your administrator for another one.")


@frozen
class PasswordResets:
    """The use cases; links hold in the Space of their account."""

    database: Database
    public: PublicAddress
    lifetimes: Lifetimes
    least_length: int

    async def send(self, actor: Actor, account_id: int, language: str, origin: Origin) -> None:
        """Mail a link to an account; those that were sent before are void.

        :raise NotFound: no such account within the actor's reach.
        :raise Forbidden: it has no email address.
        """
        token = random_token(TOKEN_LENGTH)
        async with self.database.transaction() as transaction:
            account, email, space = await mailed_account(transaction, actor, account_id)
            await password_resets.create(transaction, account.id, token, email, origin)
            values = {
                "account": account.address,
                "link": f"{self.public.base_url(space.host)}/reset_password/{token}",
                "minutes": self.lifetimes.password_reset_token,
            }
            await outbox.put(transaction, Mail("reset_password", email, language, values).outgoing(account.domain))

    async def show(self, space: Space, token: str) -> str:
        """Return the name of the account whose password a link resets.

        :raise NotFound: no such link.
        :raise Expired: it was used, or is too old.
        """
        found = await password_resets.find(self.database, token, space.domain, self.lifetimes.password_reset_token)
        if found is None:
            raise NotFound
        if not found.is_good:
            raise Expired(GONE)
        return found.username

    async def redeem(self, space: Space, token: str, password: str) -> None:
        """Set a password, once.

        :raise Invalid: it is too short or too long.
        :raise Forbidden: the Space has no Digest, so it stores no passwords.
        :raise NotFound: no such link.
        :raise Expired: it was used, or is too old.
        """
        if space.digest is None:
            raise Forbidden(Text("This Space has no digest authentication"))
        if fault := names.password_fault(password, self.least_length):
            raise Invalid.field("password", fault)
        async with self.database.transaction() as transaction:
            minutes = self.lifetimes.password_reset_token
            account_id = await password_resets.spend(transaction, token, space.domain, minutes)
            account = account_id and await account_changes.lock(transaction, account_id)
            stored = hashed(space, account.username, password) if account else None
            if account and stored:
                await account_changes.set_password(transaction, account.id, stored)
        if not account:
            await self.show(space, token)
            raise Expired(GONE)
