"""Accounts searched and filtered, in a bounded time however many there are (docs/adr/0009)."""

from __future__ import annotations

from attrs import evolve, frozen

from flexid.domain.account import Account
from flexid.domain.account_search import AccountSearchWish, ContactsListTitle, FoundAccounts
from flexid.store import account_pages
from flexid.store.account_criteria import (
    CONDITIONS,
    LIST,
    criteria,
    exact_condition,
    indexed_condition,
    is_indexed,
    parameters,
)
from flexid.store.account_landmarks import LandmarkKeeper
from flexid.store.account_orders import IN_DOMAIN, IN_ORDER_OF_INDEX, KEYS, order
from flexid.store.account_pages import COUNT, LINE, line
from flexid.store.accounts import COLUMNS, JOINS, from_row
from flexid.store.query import Query, Row, Runner

EXACT = 5_000
"""Up to so many accounts that a filter leaves, or that a Space has, all are looked at: totals and pages are exact."""
EXACT_TEXT = 1_000
"""Up to so many that hold a text, in larger Spaces."""
WALKED = 2_000
"""How many are looked at in the wished order, where no filter leaves few."""
HOPELESS = 2 * EXACT_TEXT
"""Where so many are to be expected by those, the index of texts is not asked to name them all."""
MOST_LISTS = 1_000

CONTACTS_LISTS = Query(
    "titles of contacts lists",
    f"SELECT id, title FROM contacts_lists WHERE space_id = %(space_id)s ORDER BY title, id LIMIT {MOST_LISTS}",
)

# The planner would rather not ask the index of texts, which names all accounts at once, but walk another one in the
# hope of meeting enough of them soon, and to its end where they stand together. Holds for one statement.
BY_INDEX_OF_TEXTS = "SET LOCAL enable_indexscan = off; SET LOCAL enable_indexonlyscan = off;"

_FILTERS = ("contacts_list", "admin", "status", "day")
"""The conditions that an index counts and gathers, the narrowest first."""
_OWN_ORDERS = {("status", "id"), ("status", "status"), ("day", "updated_at")}
"""Filters that are one piece of the index which keeps an order."""


@frozen
class _Looked:
    """What a statement saw, having looked at no more than `limit` accounts."""

    rows: list[Row]
    limit: int
    known: int = 0
    """So many accounts there are at least, of which the statement did not see all."""

    @property
    def complete(self) -> bool:
        """Say whether there was nothing else to look at."""
        return int(self.rows[0]["looked_at"]) <= self.limit

    @property
    def matched(self) -> int:
        return int(self.rows[0]["matched"])


async def page(
    runner: Runner, domain: str | None, wish: AccountSearchWish, keeper: LandmarkKeeper | None = None
) -> FoundAccounts:
    """Return the accounts of a domain, None for all, that a wish is true of, in at most two statements."""
    if not wish.narrowed:
        return await account_pages.page(runner, domain, wish, keeper)
    return _found(wish, await _look(runner, domain, wish))


async def whole_page(runner: Runner, domain: str, wish: AccountSearchWish) -> tuple[int, list[Account]]:
    """Return how many accounts of a domain a wish is true of, and those of a page, in at most two statements.

    As in `page`, of those that hold a common text only some are found; they are all that is counted.
    """
    looked = await _look(runner, domain, wish, whole=True)
    if (wish.page - 1) * wish.per_page > looked.rows[0]["skipped"]:
        return looked.matched, []
    names = {"matched", "skipped", "looked_at"} | {name for name in looked.rows[0] if name.startswith("in_")}
    rows = [{name: row[name] for name in row if name not in names} for row in looked.rows if row["id"] is not None]
    return looked.matched, [from_row(row) for row in rows]


async def _look(runner: Runner, domain: str | None, wish: AccountSearchWish, *, whole: bool = False) -> _Looked:
    """Return what the statement saw that tells the most."""
    bound = parameters(wish, domain) | {"offset": (wish.page - 1) * wish.per_page, "per_page": wish.per_page}
    walk = _Looked(await runner.run(walking(wish, domain, whole=whole), **bound), WALKED)
    counts = {name: int(walk.rows[0][f"in_{name}"]) for name in ("space", *_counted(wish))}
    source = choose_source(wish, counts)
    if min(counts.values()) <= EXACT:
        return _Looked(await runner.run(gathering(wish, domain, source, EXACT, whole=whole), **bound), EXACT)
    # A single filter has told that it leaves more than could be counted.
    known = EXACT if not wish.text and len(criteria(wish)) == len(counts) - 1 == 1 else 0
    # A text that fills the page and is common is not gathered: there would be too many again.
    expected = walk.matched * counts["space"] // WALKED if source == "text" else HOPELESS
    if walk.complete or source == "space" or (walk.matched >= wish.per_page and expected >= HOPELESS):
        return evolve(walk, known=known)
    query = gathering(wish, domain, source, EXACT_TEXT, whole=whole)
    gathered = _Looked(await runner.run(query, **bound), EXACT_TEXT, known)
    if gathered.complete or walk.matched < wish.per_page:
        return gathered
    return evolve(walk, known=gathered.matched)


async def contacts_lists(runner: Runner, space_id: int) -> tuple[ContactsListTitle, ...]:
    """Return the contacts lists of a Space by their titles, the first thousand."""
    return tuple(ContactsListTitle(**row) for row in await runner.run(CONTACTS_LISTS, space_id=space_id))


def choose_source(wish: AccountSearchWish, counts: dict[str, int]) -> str:
    """Return from where accounts are gathered; `counts` says how many the Space and each filter have, up to `EXACT`."""
    narrowest = min(counts, key=lambda name: counts[name])
    few = EXACT_TEXT if counts["space"] <= EXACT else EXACT
    if is_indexed(wish.text) and counts[narrowest] > few:
        return "text"
    return narrowest


def walking(wish: AccountSearchWish, domain: str | None, *, whole: bool = False) -> Query:
    """Return the statement that looks at the first accounts in the wished order, unless a filter leaves few.

    It returns all of an account where it is wanted `whole`, else a line of the list.
    """
    filters = _counted(wish)
    counts = [f"({COUNT.sql}) AS in_space", *(f"({_count(name, domain, wish)}) AS in_{name}" for name in filters)]
    names = ", ".join(f"in_{name}" for name in ("space", *filters))
    own = [name for name in filters if (name, wish.sort) in _OWN_ORDERS] if domain is not None else []
    source = _source(own[0], domain, wish) if own else f"accounts a WHERE {IN_DOMAIN if domain is not None else 'true'}"
    sql = f"""{IN_ORDER_OF_INDEX}
        WITH counts AS MATERIALIZED (SELECT {", ".join(counts)}), looked_at AS MATERIALIZED (
            SELECT {_looked_at(wish)} FROM {source} AND (SELECT least({names}) FROM counts) > {EXACT}
            {order(wish.sort, domain, descending=wish.descending)} LIMIT {WALKED + 1}
        ), {_page(wish, WALKED, names, "counts, ", whole=whole)}
    """
    return Query("search accounts, in their order", sql, prepare=False)


def gathering(wish: AccountSearchWish, domain: str | None, source: str, limit: int, *, whole: bool = False) -> Query:
    """Return the statement that looks at the accounts of a source: all of them, or any `limit` of them."""
    sql = f"""{BY_INDEX_OF_TEXTS if source == "text" else ""}
        WITH looked_at AS MATERIALIZED (
            SELECT {_looked_at(wish)} FROM {_source(source, domain, wish)} LIMIT {limit + 1}
        ), {_page(wish, limit, whole=whole)}
    """
    return Query(f"search accounts, by {source.replace('_', ' ')}", sql, prepare=False)


def _counted(wish: AccountSearchWish) -> list[str]:
    """Return the filters, and the one whose address the text is, if it can be."""
    chosen = criteria(wish)
    return [name for name in _FILTERS if name in chosen] + (["address"] if exact_condition(wish.text) else [])


def _looked_at(wish: AccountSearchWish) -> str:
    return f"a.id, {KEYS[wish.sort]} AS key, ({' AND '.join(criteria(wish).values())}) AS matches"


def _count(name: str, domain: str | None, wish: AccountSearchWish) -> str:
    # Members are counted without their accounts: nearly all of them are of this domain.
    members = f"contacts_list_contact m WHERE m.contacts_list_id = {LIST}"
    source = members if name == "contacts_list" else _source(name, domain, wish, columns="1 AS one")
    count = f"SELECT count(*) FROM (SELECT FROM {source} LIMIT {EXACT + 1}) AS counted"
    # An address that nobody has narrows nothing.
    return f"SELECT coalesce(nullif(({count}), 0), {EXACT + 1})" if name == "address" else count


def _source(name: str, domain: str | None, wish: AccountSearchWish, columns: str = "a.*") -> str:
    """Return FROM and WHERE of the accounts that one index gives."""
    of_domain = "a.domain = %(domain)s" if domain is not None else "true"
    if name == "contacts_list":
        return f"""
            contacts_list_contact m JOIN accounts a ON a.id = m.contact_id
            WHERE m.contacts_list_id = {LIST} AND {of_domain}
        """
    if name == "space":
        return f"accounts a WHERE {IN_DOMAIN if domain is not None else 'a.id > 0'}"
    if name == "text":
        return f"accounts a WHERE ({indexed_condition(wish.text)}) AND {of_domain}"
    if name == "address":
        return f"accounts a WHERE {exact_condition(wish.text)} AND {of_domain}"
    if domain is not None:
        return f"accounts a WHERE {of_domain} AND {CONDITIONS[name]}"
    # Indexes begin with the domain: each Space gives its own.
    return f"""
        spaces s CROSS JOIN LATERAL (
            SELECT {columns} FROM accounts a WHERE a.domain = s.domain AND {CONDITIONS[name]} LIMIT {EXACT + 1}
        ) AS a WHERE true
    """


def _page(wish: AccountSearchWish, limit: int, counts: str = "", sources: str = "", *, whole: bool = False) -> str:
    direction = "DESC" if wish.descending else "ASC"
    columns, joins = (COLUMNS, JOINS) if whole else (LINE, "")
    return f"""
        found AS MATERIALIZED (
            SELECT id, key FROM looked_at WHERE matches LIMIT {limit}
        ), counted AS (
            SELECT count(*) AS matched FROM found
        ), skipping AS (
            SELECT matched, least(%(offset)s, greatest(0, (matched - 1) / %(per_page)s * %(per_page)s)) AS skipped
            FROM counted
        ), page AS (
            SELECT id, key FROM found ORDER BY key {direction}, id {direction}
            OFFSET (SELECT skipped FROM skipping) LIMIT %(per_page)s
        )
        SELECT matched, skipped, (SELECT count(*) FROM looked_at) AS looked_at,
            {counts + ", " if counts else ""}{columns}
        FROM {sources}skipping LEFT JOIN (page JOIN accounts a ON a.id = page.id) ON true {joins}
        ORDER BY page.key {direction}, page.id {direction}
    """


def _found(wish: AccountSearchWish, looked: _Looked) -> FoundAccounts:
    """Return a page of what a statement saw."""
    first = looked.rows[0]
    return FoundAccounts(
        evolve(wish, page=first["skipped"] // wish.per_page + 1),
        tuple(line(row) for row in looked.rows if row["id"] is not None),
        looked.matched if looked.complete else max(looked.matched, looked.known),
        is_more=not looked.complete,
        last_page=max(1, -(-looked.matched // wish.per_page)),
    )
