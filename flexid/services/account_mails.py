"""Mails that administrators let us send to accounts."""

from __future__ import annotations

from datetime import timedelta

from attrs import frozen

from flexid.base.clock import Clock, random_token
from flexid.base.public import PublicAddress
from flexid.base.text import Text
from flexid.domain.account import Account, Actor, Origin
from flexid.domain.errors import Forbidden, NotFound
from flexid.domain.mail import Mail
from flexid.domain.space import Space
from flexid.domain.wizard import TOKEN_LENGTH, Intent
from flexid.services.accounts import domain_within_reach, new_provisioning_token
from flexid.store import account_changes, outbox, provisioning_tokens, spaces, wizards
from flexid.store.database import Database
from flexid.store.query import Runner


@frozen
class AccountMails:
    """The use cases; `token_minutes` is how long provisioning tokens live, 0 = for ever."""

    database: Database
    clock: Clock
    public: PublicAddress
    token_minutes: int

    async def send_provisioning(self, actor: Actor, account_id: int, language: str, origin: Origin) -> None:
        """Mail what sets up a phone: the link of a wizard, and the address of the document as a QR code.

        Both are good for the account's current provisioning token, which is a new one where there was none.

        :raise NotFound: no such account within the actor's reach.
        :raise Forbidden: it has no email address.
        """
        wizard = random_token(TOKEN_LENGTH)
        async with self.database.transaction() as transaction:
            account, email, space = await mailed_account(transaction, actor, account_id)
            token = await self._token(transaction, account, origin)
            await wizards.create(transaction, wizard, actor.account_id, account.id, Intent())
            await wizards.hand_out(transaction, wizard, token)
            base_url = self.public.base_url(space.host)
            values = {"account": account.address, "link": f"{base_url}/wizard/{wizard}"}
            mail = Mail("provisioning", email, language, values, qr=f"{base_url}/provisioning/{token}")
            await outbox.put(transaction, mail.outgoing(account.domain))

    async def _token(self, transaction: Runner, account: Account, origin: Origin) -> str:
        made_at = account.provisioning_token_made_at
        is_old = self.token_minutes and made_at and made_at + timedelta(minutes=self.token_minutes) <= self.clock.now()
        if account.provisioning_token and not is_old:
            return account.provisioning_token
        token = new_provisioning_token()
        await provisioning_tokens.renew(transaction, account.id, account.domain, token, origin)
        return token


async def mailed_account(transaction: Runner, actor: Actor, account_id: int) -> tuple[Account, str, Space]:
    """Lock an account that is to get a mail, and return it with its email address and its Space.

    :raise NotFound: no such account within the actor's reach.
    :raise Forbidden: it has no email address.
    """
    account = await account_changes.lock(transaction, account_id, domain_within_reach(actor))
    space = await spaces.find(transaction, account.domain) if account else None
    if account is None or space is None:
        raise NotFound
    if account.email is None:
        raise Forbidden(Text("No email configured"))
    return account, account.email, space
