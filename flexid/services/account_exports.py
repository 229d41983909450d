"""Accounts for other programs, all of them if need be, a slice at a time."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from attrs import frozen

from flexid.domain import account_exports
from flexid.domain.account import Actor
from flexid.domain.account_imports import Format
from flexid.domain.account_search import AccountSearchWish
from flexid.domain.errors import NotFound
from flexid.domain.space import Space
from flexid.store import account_exports as store
from flexid.store.database import Database


@frozen
class AccountExports:
    """The use case; between two slices it holds neither a connection nor anything else of the database's."""

    database: Database

    def whose(self, actor: Actor, space: Space, wish: AccountSearchWish) -> str:
        """Return the domain whose accounts are wished for.

        :raise NotFound: the actor does not administer it.
        """
        domain = wish.domain or space.domain
        if not actor.reaches(domain):
            raise NotFound
        return domain

    async def pieces(self, domain: str, wish: AccountSearchWish, form: Format) -> AsyncGenerator[bytes, None]:
        """Yield the accounts of a domain that a wish is true of, by id, as they are written.

        Accounts that come or go meanwhile may be among them or not; all others are, once.

        :raise Unavailable: the database is away.
        """
        before = account_exports.heading(form)
        after: int | None = 0
        while after is not None:
            after, found = await store.read(self.database, domain, wish, after)
            if before or found:
                yield before + account_exports.written(form, found)
            before = b""
