"""Pages of all accounts, of one domain or of all, in any order that an index keeps."""

from __future__ import annotations

from attrs import evolve

from flexid.domain.account_search import AccountLine, AccountSearchWish, FoundAccounts, Sort
from flexid.store.account_criteria import STATUS
from flexid.store.query import Query, Row, Runner

LINE = "a.id, a.username, a.domain, a.display_name, a.email, a.phone, a.activated, a.admin, a.blocked, a.updated_at"
KEYS: dict[Sort, str] = {
    "id": "a.id",
    "username": "a.username",
    "email": "lower(a.email)",
    "phone": "a.phone",
    "status": STATUS,
    "updated_at": "a.updated_at",
}
"""By what accounts are sorted; the id decides between equals."""

# Compared so that no index will do but one that begins with the domain: in another one, a small Space among large ones
# would be searched long.
IN_DOMAIN = "a.domain >= %(domain)s AND a.domain <= %(domain)s"

_START = """
    WITH ranges AS (
        SELECT id_range, sum(accounts)::bigint AS accounts FROM account_counts
        WHERE domain = coalesce(%(domain)s::text, '') GROUP BY id_range
    ), running AS (
        SELECT id_range, (sum(accounts) OVER (ORDER BY id_range))::bigint AS up_to, accounts FROM ranges
    ), counted AS (
        SELECT coalesce(max(up_to), 0)::bigint AS total FROM running
    ), skipping AS (
        SELECT total, least(%(offset)s, greatest(0, (total - 1) / %(per_page)s * %(per_page)s))::bigint AS skipped
        FROM counted
    )"""
# As in `accounts.PAGE`, with the page counted from the other end where the order is descending.
_BY_ID = """{start}, part AS (
        SELECT total, skipped, {first} AS first, {rows} AS rows FROM skipping
    ), start AS (
        SELECT id_range, up_to - accounts AS before FROM running, part
        WHERE up_to > first AND accounts > 0 ORDER BY id_range LIMIT 1
    )
    SELECT part.total, part.skipped, {line}
    FROM part LEFT JOIN accounts a ON a.id = ANY (ARRAY(
        SELECT a.id FROM accounts a WHERE {behind}
        OFFSET (SELECT first FROM part) - (SELECT before FROM start) LIMIT (SELECT rows FROM part)
    ))
    ORDER BY a.id {direction}
"""
_FORWARDS = {"first": "skipped", "rows": "%(per_page)s", "direction": "ASC"}
_BACKWARDS = {
    "first": "greatest(0, total - skipped - %(per_page)s)",
    "rows": "least(%(per_page)s, total - skipped)",
    "direction": "DESC",
}
_BEHIND_IN_DOMAIN = """
    (a.domain, a.id) >= (%(domain)s, (SELECT id_range * 4096 FROM start)) AND a.domain <= %(domain)s
    ORDER BY a.domain, a.id
"""
_BEHIND = "%(domain)s::text IS NULL AND a.id >= (SELECT id_range * 4096 FROM start) ORDER BY a.id"

OLDEST = Query("page of accounts, by id", _BY_ID.format(start=_START, line=LINE, behind=_BEHIND_IN_DOMAIN, **_FORWARDS))
NEWEST = Query(
    "page of accounts, by id descending",
    _BY_ID.format(start=_START, line=LINE, behind=_BEHIND_IN_DOMAIN, **_BACKWARDS),
)
OLDEST_OF_ALL = Query(
    "page of all accounts, by id", _BY_ID.format(start=_START, line=LINE, behind=_BEHIND, **_FORWARDS)
)
NEWEST_OF_ALL = Query(
    "page of all accounts, by id descending", _BY_ID.format(start=_START, line=LINE, behind=_BEHIND, **_BACKWARDS)
)
COUNT = Query(
    "count accounts of a domain or of all",
    """
    SELECT coalesce(sum(accounts), 0)::bigint AS total FROM account_counts WHERE domain = coalesce(%(domain)s::text, '')
    """,
)


def line(row: Row) -> AccountLine:
    """Return the account in a row that has the columns of `LINE`."""
    return AccountLine(**{field.name: row[field.name] for field in AccountLine.__attrs_attrs__})


def order(sort: Sort, domain: str | None, *, descending: bool) -> str:
    """Return the ORDER BY that an index answers."""
    keys = {"id": ["a.id"], "username": ["a.username", "a.domain"]}.get(sort, [KEYS[sort], "a.id"])
    if domain is not None:
        keys = ["a.domain", *(key for key in keys if key != "a.domain")]
    return "ORDER BY " + ", ".join(f"{key} {'DESC' if descending else 'ASC'}" for key in keys)


async def page(runner: Runner, domain: str | None, wish: AccountSearchWish) -> FoundAccounts:
    """Return a page of the accounts of a domain, None for all; nothing else of the wish leaves any out."""
    offset = (wish.page - 1) * wish.per_page
    if wish.sort == "id":
        by_id = ((OLDEST, NEWEST), (OLDEST_OF_ALL, NEWEST_OF_ALL))[domain is None][wish.descending]
        rows = await runner.run(by_id, domain=domain, offset=offset, per_page=wish.per_page)
        total, offset = rows[0]["total"], rows[0]["skipped"]
    else:
        total = (await runner.run(COUNT, domain=domain))[0]["total"]
        offset = min(offset, max(0, total - 1) // wish.per_page * wish.per_page)
        rows = await _run_sorted(runner, domain, wish, offset, total) if total else []
    lines = tuple(line(row) for row in rows if row["id"] is not None)
    last = max(1, -(-total // wish.per_page))
    return FoundAccounts(evolve(wish, page=offset // wish.per_page + 1), lines, total, is_more=False, last_page=last)


async def _run_sorted(
    runner: Runner, domain: str | None, wish: AccountSearchWish, offset: int, total: int
) -> list[Row]:
    rows = min(wish.per_page, total - offset)
    # What is skipped is walked, in the index alone: from the end that is nearer.
    from_end = offset > total // 2
    skipped = total - offset - rows if from_end else offset
    query = sorted_page(wish.sort, domain, descending=wish.descending, from_end=from_end)
    return await runner.run(query, domain=domain, offset=skipped, per_page=rows)


def sorted_page(sort: Sort, domain: str | None, *, descending: bool, from_end: bool) -> Query:
    """Return the statement for a page in an order; its offset counts from the end if so said."""
    direction = "DESC" if descending else "ASC"
    # Not prepared: only with the offset known does PostgreSQL see that walking the index beats sorting.
    return Query(
        f"page of accounts, by {sort}",
        f"""
        SELECT {LINE} FROM accounts a WHERE a.id = ANY (ARRAY(
            SELECT a.id FROM accounts a WHERE {IN_DOMAIN if domain is not None else "true"}
            {order(sort, domain, descending=descending != from_end)}
            OFFSET %(offset)s LIMIT %(per_page)s
        ))
        ORDER BY {KEYS[sort]} {direction}, a.id {direction}
        """,
        prepare=False,
    )
