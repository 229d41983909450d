"""The orders of the list of accounts, as the indexes of migration 6 keep them. `a` is the table of accounts."""

from __future__ import annotations

from flexid.domain.account_search import Sort
from flexid.store.account_criteria import STATUS

KEYS: dict[Sort, str] = {
    "id": "a.id",
    "username": "a.username",
    "email": "lower(a.email)",
    "phone": "a.phone",
    "status": STATUS,
    "updated_at": "a.updated_at",
}
"""By what accounts are sorted; a tie decides between equals."""

# Compared so that no index will do but one that begins with the domain: in another one, a small Space among large ones
# would be searched long.
IN_DOMAIN = "a.domain >= %(domain)s AND a.domain <= %(domain)s"

# What the planner would do otherwise, once in a while and by its guesses, takes a time that nothing bounds: read a
# whole Space to sort it. Holds for one statement.
IN_ORDER_OF_INDEX = "SET LOCAL enable_sort = off;"


def tie(sort: Sort, domain: str | None) -> str:
    """Return what decides between accounts with the same key; `domain` is None for all."""
    return "a.domain" if domain is None and sort == "username" else "a.id"


def order(sort: Sort, domain: str | None, *, descending: bool) -> str:
    """Return the ORDER BY that an index answers."""
    # Names are unique in a domain, and the index ends with them.
    last = [] if sort == "id" or (sort == "username" and domain is not None) else [tie(sort, domain)]
    keys = [*(["a.domain"] if domain is not None else []), KEYS[sort], *last]
    return "ORDER BY " + ", ".join(f"{key} {'DESC' if descending else 'ASC'}" for key in keys)
