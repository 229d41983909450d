"""Accounts searched and filtered, in a bounded time however many there are (docs/adr/0009)."""

from __future__ import annotations

from attrs import evolve, frozen

from flexid.domain.account import Account
from flexid.domain.account_search import AccountSearchWish, ContactsListTitle, FoundAccounts
from flexid.store import account_pages
from flexid.store.account_criteria import criteria, is_indexed, parameters
from flexid.store.account_gathering import FIRST, counting, gathering, searching, walking
from flexid.store.account_landmarks import LandmarkKeeper
from flexid.store.account_pages import line
from flexid.store.accounts import from_row
from flexid.store.query import Query, Row, Runner

EXACT = 5_000
"""Up to so many accounts that a filter leaves, or that a Space has, all are looked at: totals and pages are exact."""
EXACT_TEXT = 500
"""Up to so many that hold a text, in larger Spaces."""
DENSE = FIRST // 2
"""Where so many of the first accounts are wished, they fill any page, and no index of texts is asked."""
COMMON = 32
"""Where so many of a sample hold a text, not all that do are gathered."""
WALKED = 1_000
"""How many are looked at in the wished order, where neither filters nor a text leave few."""
MOST_LISTS = 1_000

CONTACTS_LISTS = Query(
    "titles of contacts lists",
    f"SELECT id, title FROM contacts_lists WHERE space_id = %(space_id)s ORDER BY title, id LIMIT {MOST_LISTS}",
)
_SEEN = ("matched", "skipped", "looked_at", "sampled")
"""Columns beside those of the accounts."""


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
        return int(self.rows[0]["looked_at"]) <= self.limit and not self.sampled

    @property
    def sampled(self) -> bool:
        return bool(self.rows[0]["sampled"])

    @property
    def matched(self) -> int:
        return int(self.rows[0]["matched"])


async def page(
    runner: Runner, domain: str | None, wish: AccountSearchWish, keeper: LandmarkKeeper | None = None
) -> FoundAccounts:
    """Return the accounts of a domain, None for all, that a wish is true of, in at most three statements."""
    if not wish.narrowed:
        return await account_pages.page(runner, domain, wish, keeper)
    return _found(wish, await _look(runner, domain, wish))


async def whole_page(runner: Runner, domain: str, wish: AccountSearchWish) -> tuple[int, list[Account]]:
    """Return how many accounts of a domain a wish is true of, and those of a page, in at most three statements.

    As in `page`, of those that hold a common text only some are found; they are all that is counted.
    """
    looked = await _look(runner, domain, wish, whole=True)
    if (wish.page - 1) * wish.per_page > looked.rows[0]["skipped"]:
        return looked.matched, []
    rows = [{name: row[name] for name in row if name not in _SEEN} for row in looked.rows if row["id"] is not None]
    return looked.matched, [from_row(row) for row in rows]


async def contacts_lists(runner: Runner, space_id: int) -> tuple[ContactsListTitle, ...]:
    """Return the contacts lists of a Space by their titles, the first thousand."""
    return tuple(ContactsListTitle(**row) for row in await runner.run(CONTACTS_LISTS, space_id=space_id))


async def _look(runner: Runner, domain: str | None, wish: AccountSearchWish, *, whole: bool = False) -> _Looked:
    """Return what the statement saw that tells the most."""
    bound = parameters(wish, domain) | {"offset": (wish.page - 1) * wish.per_page, "per_page": wish.per_page}
    counts = {name: int(count) for name, count in (await runner.run(counting(wish, domain, EXACT), **bound))[0].items()}
    is_dense = counts.pop("first") >= DENSE
    narrowest = min(counts, key=lambda name: counts[name])
    if counts[narrowest] <= EXACT:
        return _Looked(await runner.run(gathering(wish, domain, narrowest, EXACT, whole=whole), **bound), EXACT)
    if is_indexed(wish.text) and not is_dense:
        query = searching(wish, domain, EXACT_TEXT, COMMON, whole=whole)
        others = _Looked(await runner.run(query, **bound), EXACT_TEXT)
        # What is not common fills no page in a large Space, whoever is looked at first.
        if others.complete or not (others.sampled or wish.per_page * counts["space"] <= EXACT_TEXT * WALKED):
            return others
        walk = _Looked(await runner.run(walking(wish, domain, WALKED, whole=whole), **bound), WALKED, others.matched)
    else:
        # One filter alone has told that it leaves more than could be counted.
        known = EXACT if tuple(criteria(wish)) == (narrowest,) else 0
        walk = _Looked(await runner.run(walking(wish, domain, WALKED, whole=whole), **bound), WALKED, known)
        if narrowest == "space" or walk.matched >= wish.per_page:
            return walk
        query = gathering(wish, domain, narrowest, EXACT_TEXT, whole=whole)
        others = _Looked(await runner.run(query, **bound), EXACT_TEXT, known)
    return walk if walk.matched >= min(wish.per_page, others.matched) else others


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
