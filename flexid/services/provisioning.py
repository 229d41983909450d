"""Remote provisioning: the document that a Linphone application configures itself from."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext

from attrs import evolve, frozen

from flexid.base.clock import random_token
from flexid.base.text import Text
from flexid.domain.account import Account, Actor
from flexid.domain.errors import Blocked, Expired, NotFound
from flexid.domain.hooks import HookRequest
from flexid.domain.provisioning import Credentials, reg_identity
from flexid.domain.space import Space
from flexid.services.accounts import hashed
from flexid.services.document_hooks import DocumentHooks
from flexid.services.space_directory import KnownSpace, SpaceDirectory
from flexid.store import account_changes, accounts, auth_tokens, provisioning_tokens
from flexid.store.database import Database
from flexid.store.query import Runner

RANDOM_PASSWORD_LENGTH = 20


@frozen
class Asked:
    """What a client asks for: `base_url` is scheme, host and port by which it came, `request` what hooks are told."""

    base_url: str
    reset_password: bool
    request: Callable[[], HookRequest]


@frozen
class Provisioning:
    """The use cases."""

    database: Database
    directory: SpaceDirectory
    hooks: DocumentHooks
    token_minutes: int
    auth_token_minutes: int

    async def base(self, known: KnownSpace, asked: Asked) -> bytes:
        """Return the document of a Space, without an account."""
        document = known.document(asked.base_url)
        if not self.hooks.are_there:
            return document.without_account
        return document.without_account_but(await self.hooks.further_sections(asked.request(), None))

    async def own(self, known: KnownSpace, actor: Actor, asked: Asked) -> bytes:
        """Return the document of the caller's account."""
        if actor.domain != known.space.domain:
            known = await self.directory.by_domain(actor.domain) or known
        async with self.database.transaction() if asked.reset_password else nullcontext(self.database) as runner:
            account = actor.account or await accounts.find(runner, actor.account_id)
            if account is None:
                raise NotFound
            if asked.reset_password:
                account = await _with_fresh_password(runner, known.space, account)
        return await self._document(known, account, asked)

    async def redeem(self, known: KnownSpace, token: str, asked: Asked) -> bytes:
        """Use a provisioning token up, activate its account and return its document.

        :raise NotFound: unknown, used, renewed, or of another Space.
        :raise Blocked: the account is blocked.
        :raise Expired: the token is too old.
        """
        async with self.database.transaction() if asked.reset_password else nullcontext(self.database) as runner:
            outcome = await provisioning_tokens.redeem(runner, token, known.space.domain, self.token_minutes)
            if outcome.blocked:
                raise Blocked
            if outcome.expired:
                raise Expired(Text("The provisioning token has expired"))
            if outcome.account is None:
                raise NotFound
            account = outcome.account
            if asked.reset_password:
                account = await _with_fresh_password(runner, known.space, account)
        return await self._document(known, account, asked)

    async def redeem_auth_token(self, known: KnownSpace, token: str, asked: Asked) -> bytes:
        """Return the document of the account that was attached to an auth token; the token is gone.

        :raise NotFound: no such token, or none that is attached.
        :raise Blocked: the account is blocked.
        """
        async with self.database.transaction() as transaction:
            account_id = await auth_tokens.redeem(transaction, token, known.space.domain, self.auth_token_minutes)
            account = account_id and await accounts.find(transaction, account_id)
            if not account:
                raise NotFound
            if account.blocked:
                raise Blocked
            if asked.reset_password:
                account = await _with_fresh_password(transaction, known.space, account)
        return await self._document(known, account, asked)

    async def refuse_unless_current(self, space: Space, token: str) -> None:
        """Refuse a token that could not be redeemed.

        :raise NotFound: unknown, used, renewed, or of another Space.
        """
        if not await provisioning_tokens.is_current(self.database, token, space.domain):
            raise NotFound

    async def _document(self, known: KnownSpace, account: Account, asked: Asked) -> bytes:
        document = known.document(asked.base_url)
        identity = reg_identity(account.display_name, account.username, account.domain)
        credentials = [
            Credentials(account.username, account.domain, password.ha1, known.space.realm, password.algorithm)
            for password in account.passwords
        ]
        if not self.hooks.are_there:
            return document.with_account(identity, credentials, account.carddav_credentials)
        request = asked.request()
        sections = document.sections(identity, credentials, account.carddav_credentials)
        changed = await self.hooks.change(sections, request, account)
        return document.with_sections(changed, await self.hooks.further_sections(request, account))


async def _with_fresh_password(runner: Runner, space: Space, account: Account) -> Account:
    """Replace the account's passwords by a random one; the application gets its hash, nobody the password."""
    stored = hashed(space, account.username, random_token(RANDOM_PASSWORD_LENGTH))
    if stored is None:
        return account
    await account_changes.set_password(runner, account.id, stored)
    return evolve(account, passwords=(stored,))
