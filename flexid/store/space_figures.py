"""How many are in a Space, and who administers it."""

from __future__ import annotations

from flexid.domain.space import SpaceAdministrator
from flexid.store.query import Query, Runner

COUNTS = Query(
    "count the accounts of all Spaces",
    """
    SELECT s.domain, coalesce(sum(c.accounts), 0)::bigint AS accounts
    FROM spaces s LEFT JOIN account_counts c ON c.domain = s.domain GROUP BY s.domain
    """,
)
ADMINISTRATORS = Query(
    "administrators of a Space",
    """
    SELECT id, username, display_name, activated, blocked FROM accounts
    WHERE domain = %(domain)s AND admin ORDER BY id LIMIT %(most)s
    """,
)


async def counts(runner: Runner) -> dict[str, int]:
    """Return how many accounts each domain has."""
    return {row["domain"]: row["accounts"] for row in await runner.run(COUNTS)}


async def administrators(runner: Runner, domain: str, most: int) -> tuple[SpaceAdministrator, ...]:
    """Return the administrators of a domain, the oldest first, at most so many."""
    return tuple(SpaceAdministrator(**row) for row in await runner.run(ADMINISTRATORS, domain=domain, most=most))
