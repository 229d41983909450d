"""The list of accounts, to be searched, filtered, sorted and paged through."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from attrs import evolve

from flexid.domain.account_search import (
    DESCENDING,
    EVERY_SPACE,
    PER_PAGE,
    SORTS,
    SORTS_OF_EVERY_SPACE,
    AccountSearchWish,
    FoundAccounts,
    Sort,
)
from flexid.domain.errors import NotFound
from flexid.domain.pages import envelope
from flexid.domain.space import Space
from flexid.http.answers import Answer
from flexid.http.call import Call
from flexid.http.pages import page
from flexid.http.routes import ADMIN, Routes

routes = Routes("/admin/accounts", title="Accounts", portal=True)

PARAMETERS = ("q", "domain", "contacts_list", "updated_on", "role", "status", "sort", "order", "page", "per_page")
DEFAULT_SORT: Sort = "username"


@routes.get(caller=ADMIN, hot=True)
async def show(call: Call[Any]) -> Answer:
    """List the accounts that are searched for, 20 a page."""
    asked = {name: value for name in PARAMETERS if (value := call.query(name))}
    wish = AccountSearchWish.read({"sort": DEFAULT_SORT, **asked})
    found = await call.services.account_search.page(call.actor, call.space, wish)
    chosen = await _chosen(call, wish)
    filters = call.services.account_filters
    return page(
        call,
        "admin_accounts/list.html",
        found=found,
        wish=found.wish,
        chosen=chosen,
        every=EVERY_SPACE,
        lists=await filters.contacts_lists(chosen) if chosen else (),
        domains=await filters.domains() if call.actor.super_admin else (),
        filters_set=_filters_set(call, wish),
        sorts={name: _sort_link(found.wish, name) for name in (SORTS if chosen else SORTS_OF_EVERY_SPACE)},
        links=_page_links(found),
        export=f"{routes.prefix}/export?{urlencode(_query(wish))}" if chosen else None,
    )


async def _chosen(call: Call[Any], wish: AccountSearchWish) -> Space | None:
    """Return the Space whose accounts are shown, None for all.

    :raise NotFound: no Space has the domain.
    """
    if wish.every_space:
        return None
    if wish.domain is None or wish.domain == call.space.domain:
        return call.space
    known = await call.services.directory.by_domain(wish.domain)
    if known is None:
        raise NotFound
    return known.space


def _filters_set(call: Call[Any], wish: AccountSearchWish) -> int:
    is_elsewhere = wish.domain not in {None, call.space.domain}
    return sum(map(bool, (is_elsewhere, wish.contacts_list, wish.updated_on, wish.role, wish.status)))


def _page_links(found: FoundAccounts) -> object:
    per_page = found.wish.per_page
    # Where not all were counted, pages end where counting did.
    total = found.last_page * per_page if found.is_more else found.total
    return envelope(found.lines, total, found.wish.page, per_page, routes.prefix, _query(found.wish))["links"]


def _sort_link(wish: AccountSearchWish, sort: Sort) -> str:
    """Return the address of the list in another order; in the other direction, where it has this order already."""
    descending = wish.sort == sort and not wish.descending
    return f"{routes.prefix}?{urlencode(_query(evolve(wish, sort=sort, descending=descending)))}"


def _query(wish: AccountSearchWish) -> dict[str, str]:
    """Return the query that asks for the first page of a wish."""
    asked = {
        "q": wish.text,
        "domain": wish.domain,
        "contacts_list": wish.contacts_list,
        "updated_on": wish.updated_on,
        "role": wish.role,
        "status": wish.status,
        "sort": wish.sort,
        "order": DESCENDING if wish.descending else None,
        "per_page": wish.per_page if wish.per_page != PER_PAGE else None,
    }
    return {name: str(value) for name, value in asked.items() if value}
