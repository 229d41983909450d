"""Account creation request tokens: an application lets a person prove to be one, and gets a creation token."""

from __future__ import annotations

from attrs import frozen

from flexid.base.clock import random_token
from flexid.base.text import Text
from flexid.domain.account import Origin
from flexid.domain.errors import DomainError, Invalid, NotFound
from flexid.domain.space import Space
from flexid.domain.tokens import CreationToken
from flexid.services.registration import TOKEN_LENGTH
from flexid.store import creation_request_tokens, creation_tokens
from flexid.store.database import Database
from flexid.store.query import Runner

FIELD = "account_creation_request_token"
BAD_TOKEN = Text("Please provide a valid account_creation_request_token")


@frozen
class CreationRequests:
    """The use cases; tokens hold in the Space in which they were made."""

    database: Database

    async def create(self, space: Space, origin: Origin) -> str:
        """Return a new token, which a person has to validate."""
        token = random_token(TOKEN_LENGTH)
        await creation_request_tokens.create(self.database, space.domain, token, origin)
        return token

    async def is_validated(self, space: Space, token: str) -> bool:
        """Say whether a person has validated a token.

        :raise NotFound: it is unknown or used.
        """
        found = await creation_request_tokens.find(self.database, token, space.domain)
        if found is None:
            raise NotFound
        return found.is_validated

    async def validate(self, space: Space, token: str) -> None:
        """Note that a person has validated a token.

        :raise NotFound: it is unknown or used.
        """
        if not await creation_request_tokens.validate(self.database, token, space.domain):
            raise NotFound

    async def exchange(self, space: Space, token: str, origin: Origin) -> CreationToken:
        """Use a validated token up and return a creation token: both or none.

        :raise Invalid: it is unknown or used.
        :raise NotFound: nobody has validated it yet.
        """
        async with self.database.transaction() as transaction:
            spent = await creation_request_tokens.spend(transaction, token, space.domain)
            if spent is None:
                raise await self._refusal(transaction, space, token)
            created = await creation_tokens.create(transaction, space.domain, random_token(TOKEN_LENGTH), origin)
            await creation_request_tokens.link(transaction, spent, created.token)
        return created

    async def _refusal(self, transaction: Runner, space: Space, token: str) -> DomainError:
        if await creation_request_tokens.find(transaction, token, space.domain):
            return NotFound(Text("Nobody has validated this token yet"))
        return Invalid.field(FIELD, BAD_TOKEN)
