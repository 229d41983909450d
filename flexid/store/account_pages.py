"""Pages of all accounts, of one domain or of all, in any order that an index keeps."""

from __future__ import annotations

from attrs import evolve, frozen

from flexid.domain.account_search import AccountLine, AccountSearchWish, FoundAccounts, Sort
from flexid.store.account_landmarks import APART, NEAR, LandmarkKeeper, from_landmark
from flexid.store.account_orders import IN_DOMAIN, KEYS, order
from flexid.store.query import Query, Row, Runner

LINE = "a.id, a.username, a.domain, a.display_name, a.email, a.phone, a.activated, a.admin, a.blocked, a.updated_at"

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


async def page(
    runner: Runner, domain: str | None, wish: AccountSearchWish, keeper: LandmarkKeeper | None = None
) -> FoundAccounts:
    """Return a page of the accounts of a domain, None for all; nothing else of the wish leaves any out.

    Without a `keeper` of landmarks, pages in the middle of a large Space take the longer, except by id.
    """
    offset = (wish.page - 1) * wish.per_page
    if wish.sort == "id":
        by_id = ((OLDEST, NEWEST), (OLDEST_OF_ALL, NEWEST_OF_ALL))[domain is None][wish.descending]
        rows = await runner.run(by_id, domain=domain, offset=offset, per_page=wish.per_page)
        total, offset = rows[0]["total"], rows[0]["skipped"]
    else:
        total = (await runner.run(COUNT, domain=domain))[0]["total"]
        offset = min(offset, max(0, total - 1) // wish.per_page * wish.per_page)
        part = _Part(domain, wish.sort, wish.descending, offset, min(wish.per_page, total - offset), total)
        rows = await _run_sorted(runner, part, keeper) if total else []
    lines = tuple(line(row) for row in rows if row["id"] is not None)
    last = max(1, -(-total // wish.per_page))
    return FoundAccounts(evolve(wish, page=offset // wish.per_page + 1), lines, total, is_more=False, last_page=last)


@frozen
class _Part:
    """A page of an order: `rows` accounts behind `offset` others, of `total`."""

    domain: str | None
    sort: Sort
    descending: bool
    offset: int
    rows: int
    total: int

    @property
    def behind(self) -> int:
        """How many stand behind it."""
        return self.total - self.offset - self.rows


async def _run_sorted(runner: Runner, part: _Part, keeper: LandmarkKeeper | None) -> list[Row]:
    bound = {"domain": part.domain, "per_page": part.rows}
    if keeper and min(part.offset, part.behind) > NEAR:
        landmarks = keeper.find(part.domain, part.sort, part.total)
        number, rest = divmod(part.behind if part.descending else part.offset, APART)
        if landmarks and number < len(landmarks.places):
            key, tie = landmarks.places[number]
            ids = from_landmark(part.sort, part.domain, key)
            query = sorted_page(part.sort, ids, descending=part.descending)
            return await runner.run(query, **bound, key=key, tie=tie, rest=rest)
    # What is skipped is walked, in the index alone: from the end that is nearer.
    from_end = part.offset > part.behind
    ids = from_start(part.sort, part.domain, descending=part.descending != from_end)
    query = sorted_page(part.sort, ids, descending=part.descending)
    return await runner.run(query, **bound, offset=part.behind if from_end else part.offset)


def from_start(sort: Sort, domain: str | None, *, descending: bool) -> str:
    """Return an array of the ids of a page, `offset` accounts behind the first one of an order."""
    scope = IN_DOMAIN if domain is not None else "true"
    ordered = order(sort, domain, descending=descending)
    return f"ARRAY(SELECT a.id FROM accounts a WHERE {scope} {ordered} OFFSET %(offset)s LIMIT %(per_page)s)"


def sorted_page(sort: Sort, ids: str, *, descending: bool) -> Query:
    """Return the statement for the accounts whose ids are in an array."""
    direction = "DESC" if descending else "ASC"
    # Not prepared: only with the offset known does PostgreSQL see that walking the index beats sorting.
    return Query(
        f"page of accounts, by {sort}",
        f"""
        SELECT {LINE} FROM accounts a WHERE a.id = ANY ({ids})
        ORDER BY {KEYS[sort]} {direction}, a.id {direction}
        """,
        prepare=False,
    )
