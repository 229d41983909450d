"""The statements that look at a bounded number of accounts for a wish (docs/adr/0009).

Those that show accounts return the lines of a page, or where they are wanted `whole` all of them, with what was seen:
`matched`, `skipped`, `looked_at`, and whether that was only a sample. They are put together for each wish and planned
with its values: a plan that is good for `a` is bad for `alice`.
"""

from __future__ import annotations

from flexid.domain.account_search import AccountSearchWish
from flexid.store.account_criteria import CONDITIONS, LIST, SAMPLED, criteria, exact_condition, indexed_condition
from flexid.store.account_orders import IN_DOMAIN, IN_ORDER_OF_INDEX, KEYS, order
from flexid.store.account_pages import COUNT, LINE
from flexid.store.accounts import COLUMNS, JOINS
from flexid.store.query import Query

# The planner would rather not ask the index of texts, which names all accounts at once, but walk another one in the
# hope of meeting enough of them soon, and to its end where they stand together. Holds for one statement.
BY_INDEX_OF_TEXTS = "SET LOCAL enable_indexscan = off; SET LOCAL enable_indexonlyscan = off;"

FIRST = 200
"""So many, in the wished order, tell how dense those stand who are wished."""

_FILTERS = ("contacts_list", "admin", "status", "day")
"""The conditions that an index counts and gathers, the narrowest first."""
_OWN_ORDERS = {("status", "id"), ("status", "status"), ("day", "updated_at")}
"""Filters that are one piece of the index which keeps an order."""


def counting(wish: AccountSearchWish, domain: str | None, most: int) -> Query:
    """Return the statement that counts what the Space and each filter have, up to one more than `most`.

    As `first` it says how many of the first `FIRST` in the wished order are wished.
    """
    filters = {name: _count(name, domain, wish, most) for name in _counted(wish)}
    first = f"SELECT count(*) FROM ({_in_order(wish, domain, FIRST)}) AS first WHERE matches"
    counts = ", ".join(f"({sql}) AS {name}" for name, sql in {"first": first, "space": COUNT.sql, **filters}.items())
    return Query("count accounts that filters leave", f"{IN_ORDER_OF_INDEX} SELECT {counts}", prepare=False)


def walking(wish: AccountSearchWish, domain: str | None, limit: int, *, whole: bool = False) -> Query:
    """Return the statement that looks at the first accounts in the wished order."""
    sql = f"""{IN_ORDER_OF_INDEX}
        WITH looked_at AS MATERIALIZED (
            {_in_order(wish, domain, limit + 1)}
        ), {_page(wish, limit, whole=whole)}
    """
    return Query("search accounts, in their order", sql, prepare=False)


def gathering(wish: AccountSearchWish, domain: str | None, source: str, limit: int, *, whole: bool = False) -> Query:
    """Return the statement that looks at the accounts of the Space or of a filter: all, or any `limit` of them."""
    sql = f"""
        WITH looked_at AS MATERIALIZED (
            SELECT {_looked_at(wish)} FROM {_source(source, domain, wish, limit)} LIMIT {limit + 1}
        ), {_page(wish, limit, whole=whole)}
    """
    return Query(f"search accounts, by {source.replace('_', ' ')}", sql, prepare=False)


def searching(wish: AccountSearchWish, domain: str | None, limit: int, common: int, *, whole: bool = False) -> Query:
    """Return the statement that looks at the accounts which the index of texts names: all, or any `limit` of them.

    Before it names any, it has to name all. So where `common` of a sample have the text, only those are looked at.
    """
    source = f"accounts a WHERE ({indexed_condition(wish.text)})" + (
        " AND a.domain = %(domain)s" if domain is not None else ""
    )
    sql = f"""{BY_INDEX_OF_TEXTS}
        WITH sample AS MATERIALIZED (
            SELECT {_looked_at(wish)} FROM {source} AND {SAMPLED} LIMIT {limit + 1}
        ), looked_at AS MATERIALIZED (
            (SELECT {_looked_at(wish)} FROM {source} AND (SELECT count(*) FROM sample) < {common} LIMIT {limit + 1})
            UNION ALL SELECT * FROM sample WHERE (SELECT count(*) FROM sample) >= {common}
        ), {_page(wish, limit, whole=whole, sampled=f"(SELECT count(*) FROM sample) >= {common}")}
    """
    return Query("search accounts, by text", sql, prepare=False)


def _in_order(wish: AccountSearchWish, domain: str | None, limit: int) -> str:
    own = [name for name in _counted(wish) if (name, wish.sort) in _OWN_ORDERS] if domain is not None else []
    every = f"accounts a WHERE {IN_DOMAIN if domain is not None else 'true'}"
    source = _source(own[0], domain, wish, limit) if own else every
    ordered = order(wish.sort, domain, descending=wish.descending)
    return f"SELECT {_looked_at(wish)} FROM {source} {ordered} LIMIT {limit}"


def _counted(wish: AccountSearchWish) -> list[str]:
    """Return the filters, and the one whose address the text is, if it can be."""
    chosen = criteria(wish)
    return [name for name in _FILTERS if name in chosen] + (["address"] if exact_condition(wish.text) else [])


def _looked_at(wish: AccountSearchWish) -> str:
    return f"a.id, {KEYS[wish.sort]} AS key, ({' AND '.join(criteria(wish).values())}) AS matches"


def _count(name: str, domain: str | None, wish: AccountSearchWish, most: int) -> str:
    # Members are counted without their accounts: nearly all of them are of this domain.
    members = f"contacts_list_contact m WHERE m.contacts_list_id = {LIST}"
    source = members if name == "contacts_list" else _source(name, domain, wish, most, columns="1 AS one")
    count = f"SELECT count(*) FROM (SELECT FROM {source} LIMIT {most + 1}) AS counted"
    # An address that nobody has narrows nothing.
    return f"SELECT coalesce(nullif(({count}), 0), {most + 1})" if name == "address" else count


def _source(name: str, domain: str | None, wish: AccountSearchWish, limit: int, columns: str = "a.*") -> str:
    """Return FROM and WHERE of the accounts that one index gives; more than `limit` need not be complete."""
    of_domain = "a.domain = %(domain)s" if domain is not None else "true"
    if name == "contacts_list":
        return f"""
            contacts_list_contact m JOIN accounts a ON a.id = m.contact_id
            WHERE m.contacts_list_id = {LIST} AND {of_domain}
        """
    if name == "space":
        return f"accounts a WHERE {IN_DOMAIN if domain is not None else 'a.id > 0'}"
    if name == "address":
        # Compared so that no index of the domain will do: the address has one of its own.
        in_domain = "a.domain || '' = %(domain)s" if domain is not None else "true"
        return f"accounts a WHERE {exact_condition(wish.text)} AND {in_domain}"
    if domain is not None:
        return f"accounts a WHERE {of_domain} AND {CONDITIONS[name]}"
    # Indexes begin with the domain: each Space gives its own.
    return f"""
        spaces s CROSS JOIN LATERAL (
            SELECT {columns} FROM accounts a WHERE a.domain = s.domain AND {CONDITIONS[name]} LIMIT {limit + 1}
        ) AS a WHERE true
    """


def _page(wish: AccountSearchWish, limit: int, *, whole: bool = False, sampled: str = "false") -> str:
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
        SELECT matched, skipped, (SELECT count(*) FROM looked_at) AS looked_at, {sampled} AS sampled, {columns}
        FROM skipping LEFT JOIN (page JOIN accounts a ON a.id = page.id) ON true {joins}
        ORDER BY page.key {direction}, page.id {direction}
    """
