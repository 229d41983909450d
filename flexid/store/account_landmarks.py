"""Where in an order of a large Space every so many accounts stand, so that pages in the middle skip little.

Counting from either end walks the index past all that is skipped. Landmarks are some seconds old: what was created or
deleted since moves the pages behind it by as much, until there are new ones.
"""

from __future__ import annotations

from typing import Any

from attrs import define, field, frozen
from twisted.internet.defer import ensureDeferred
from twisted.logger import Logger

from flexid.base.clock import Clock
from flexid.domain.account_search import Sort
from flexid.domain.errors import Unavailable
from flexid.store.account_orders import IN_DOMAIN, IN_ORDER_OF_INDEX, KEYS, order, tie
from flexid.store.database import Database
from flexid.store.query import Query

APART = 2_000
"""How many accounts stand from one landmark to the next."""
NEAR = 20_000
"""So many from either end are counted from there: exact, and quick enough."""
FRESH, USABLE = 30.0, 600.0
"""Seconds after which landmarks are looked for anew, and after which they are no help any more."""
MOST_DRIFT = 100
"""Landmarks are no help either where the number of accounts differs by more than one in so many."""
MOST_LISTS = 100

_NULLABLE = ("email", "phone")


@frozen
class Landmarks:
    """Key and tie of the first account, and of every one that is `APART` from the one before."""

    places: tuple[tuple[Any, Any], ...]
    total: int
    seen_at: float

    def is_usable(self, total: int, now: float) -> bool:
        """Say whether they still tell about where accounts stand, of which there are `total` by now."""
        return now - self.seen_at < USABLE and abs(total - self.total) * MOST_DRIFT <= total


@define
class LandmarkKeeper:
    """Remembers landmarks for whoever pages deeply, and looks for new ones behind his back."""

    database: Database
    clock: Clock
    _kept: dict[tuple[str | None, Sort], Landmarks] = field(factory=dict, init=False)
    _sought: set[tuple[str | None, Sort]] = field(factory=set, init=False)
    log = Logger()

    def find(self, domain: str | None, sort: Sort, total: int) -> Landmarks | None:
        """Return the landmarks of an order, None if there are none now; soon there will be."""
        now = self.clock.seconds()
        landmarks = self._kept.get((domain, sort))
        usable = landmarks is not None and landmarks.is_usable(total, now)
        if (not usable or (landmarks and now - landmarks.seen_at > FRESH)) and (domain, sort) not in self._sought:
            self._sought.add((domain, sort))
            ensureDeferred(self.seek(domain, sort, total))
        return landmarks if usable else None

    async def seek(self, domain: str | None, sort: Sort, total: int) -> None:
        """Look for the landmarks of an order."""
        try:
            rows = await self.database.run(seeking(sort, domain), domain=domain)
            places = tuple((row["key"], row["tie"]) for row in rows)
            if len(self._kept) >= MOST_LISTS:
                del self._kept[next(iter(self._kept))]
            self._kept[domain, sort] = Landmarks(places, total, self.clock.seconds())
        except Unavailable:
            pass  # the next one who pages there tries again
        except Exception:  # noqa: BLE001  # nobody waits for it
            self.log.failure("looking for landmarks")
        finally:
            self._sought.discard((domain, sort))


def seeking(sort: Sort, domain: str | None) -> Query:
    """Return the statement that finds all landmarks, by walking the index once."""
    ordered = order(sort, domain, descending=False)
    return Query(
        f"landmarks of accounts, by {sort}",
        f"""{IN_ORDER_OF_INDEX}
        SELECT key, tie FROM (
            SELECT {KEYS[sort]} AS key, {tie(sort, domain)} AS tie, row_number() OVER ({ordered}) - 1 AS place
            FROM accounts a WHERE {IN_DOMAIN if domain is not None else "true"}
        ) AS numbered
        WHERE place %% {APART} = 0 ORDER BY place
        """,
        prepare=False,
    )


def from_landmark(sort: Sort, domain: str | None, key: Any) -> str:
    """Return an array of the ids of a page, `rest` accounts behind a landmark with this key and `tie`.

    Those that have no key stand behind all others.
    """
    keys, ties = KEYS[sort], tie(sort, domain)
    scope = "a.domain = %(domain)s" if domain is not None else "true"
    ordered = order(sort, domain, descending=False)
    if key is None:
        return f"""
            ARRAY(SELECT a.id FROM accounts a WHERE {scope} AND {keys} IS NULL AND a.id >= %(tie)s
                {ordered} OFFSET %(rest)s LIMIT %(per_page)s)
        """
    behind = f"({keys}, {ties}) >= (%(key)s, %(tie)s)"
    if sort in _NULLABLE:
        behind += f" AND {keys} >= %(key)s"  # lets the index end before those without a key
    ids = f"ARRAY(SELECT a.id FROM accounts a WHERE {scope} AND {behind} {ordered} LIMIT %(rest)s + %(per_page)s)"
    if sort in _NULLABLE:
        keyless = (
            f"SELECT a.id FROM accounts a WHERE {scope} AND {keys} IS NULL {ordered} LIMIT %(rest)s + %(per_page)s"
        )
        ids += f" || ARRAY({keyless})"
    return f"({ids})[%(rest)s + 1 : %(rest)s + %(per_page)s]"
