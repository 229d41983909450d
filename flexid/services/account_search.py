"""The lists of accounts that administrators search and page through."""

from __future__ import annotations

from attrs import evolve, frozen

from flexid.domain.account import Account, Actor
from flexid.domain.account_search import (
    SORTS_OF_EVERY_SPACE,
    AccountSearchWish,
    ContactsListTitle,
    FoundAccounts,
)
from flexid.domain.errors import NotFound
from flexid.domain.space import Space
from flexid.store import account_search, filtered_accounts
from flexid.store.account_landmarks import LandmarkKeeper
from flexid.store.database import Database


@frozen
class AccountSearch:
    """The use cases; `space` is always the one of the request's host."""

    database: Database
    landmarks: LandmarkKeeper

    async def page(self, actor: Actor, space: Space, wish: AccountSearchWish) -> FoundAccounts:
        """Return a page of the accounts within the actor's reach that a wish is true of.

        Where the wish names no domain they are those of the Space. An order that is not kept over all Spaces is
        replaced by that of the ids, and a page beyond the last one by the last.

        :raise NotFound: the wish names a domain that the actor does not administer, or all and it is no super
            administrator.
        """
        domain = wish.domain or space.domain
        if not (actor.super_admin if wish.every_space else actor.reaches(domain)):
            raise NotFound
        if wish.every_space and wish.sort not in SORTS_OF_EVERY_SPACE:
            wish = evolve(wish, sort="id")
        return await account_search.page(self.database, None if wish.every_space else domain, wish, self.landmarks)

    async def whole_page(self, actor: Actor, space: Space, wish: AccountSearchWish) -> tuple[int, list[Account]]:
        """Return how many accounts of one Space a wish is true of, and those of a page, whole and by id.

        Where the wish names no domain they are those of the Space. A page beyond the last one is empty.

        :raise NotFound: the wish names a domain that the actor does not administer.
        """
        domain = wish.domain or space.domain
        if not actor.reaches(domain):
            raise NotFound
        return await filtered_accounts.page(self.database, domain, wish)

    async def contacts_lists_of(self, space: Space) -> tuple[ContactsListTitle, ...]:
        """Return the contacts lists of a Space by their titles, the first thousand."""
        return await account_search.contacts_lists(self.database, space.id)
