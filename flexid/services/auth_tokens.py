"""Auth tokens: a signed-in device lets another one in."""

from __future__ import annotations

from attrs import frozen

from flexid.base.clock import random_token
from flexid.domain.account import Actor, Origin
from flexid.domain.errors import NotFound
from flexid.domain.space import Space
from flexid.domain.tokens import AuthToken
from flexid.services.api_keys import ApiKeys
from flexid.services.sessions import Sessions
from flexid.store import auth_tokens
from flexid.store.database import Database

TOKEN_LENGTH = 32


@frozen
class AuthTokens:
    """What may be done with auth tokens; they hold in the Space in which they were made."""

    database: Database
    api_keys: ApiKeys
    sessions: Sessions
    minutes: int

    async def create(self, space: Space, origin: Origin) -> AuthToken:
        """Return a new token, attached to nobody."""
        return await auth_tokens.create(self.database, space.domain, random_token(TOKEN_LENGTH), origin)

    async def attach(self, space: Space, actor: Actor, token: str) -> None:
        """Attach the caller's account.

        :raise NotFound: no such token, too old, attached already, or the caller is no account of this Space.
        """
        if actor.domain != space.domain or not await auth_tokens.attach(
            self.database, token, space.domain, actor.account_id, self.minutes
        ):
            raise NotFound

    async def create_attached(self, space: Space, actor: Actor, origin: Origin) -> str:
        """Return a new token that lets another device sign in as the caller.

        :raise NotFound: the caller is no account of this Space.
        """
        if actor.domain != space.domain:
            raise NotFound
        token = random_token(TOKEN_LENGTH)
        await auth_tokens.create_attached(self.database, space.domain, token, actor.account_id, origin)
        return token

    async def show(self, space: Space, token: str) -> AuthToken:
        """Return a token that is still good, attached or not.

        :raise NotFound: no such token, or too old.
        """
        found = await auth_tokens.find(self.database, token, space.domain, self.minutes)
        if found is None:
            raise NotFound
        return found

    async def redeem_for_session(self, space: Space, token: str, origin: Origin) -> str:
        """Return the id of a new session of the attached account; the token is gone.

        :raise NotFound: no such token, or none that is attached.
        """
        account_id = await auth_tokens.redeem(self.database, token, space.domain, self.minutes)
        session_id = account_id and await self.sessions.begin(space, account_id, origin)
        if not session_id:
            raise NotFound
        return session_id

    async def refuse_unless_attached(self, space: Space, token: str) -> None:
        """Refuse a token that could not be redeemed.

        :raise NotFound: no such token, or none that is attached.
        """
        if not await auth_tokens.is_attached(self.database, token, space.domain, self.minutes):
            raise NotFound

    async def redeem_for_key(self, space: Space, token: str, ip: str) -> str:
        """Return a user key of the attached account, bound to the address; the token is gone.

        :raise NotFound: no such token, or none that is attached.
        """
        account_id = await auth_tokens.redeem(self.database, token, space.domain, self.minutes)
        if account_id is None:
            raise NotFound
        return await self.api_keys.renew_user_key(account_id, ip)
