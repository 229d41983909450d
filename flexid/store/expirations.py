"""Spaces that expire, and of which of them it was told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from attrs import frozen

from flexid.store.query import Query, Runner

# A day that nobody was there to tell of is told of later, unless the Space was changed since: then it may be that the
# day was not yet set.
CLAIM = Query(
    "claim Spaces that expire",
    """
    WITH expiring AS (
        SELECT s.*, ceil(extract(epoch FROM s.expire_at - %(now)s::timestamptz) / 86400)::integer AS days_left
        FROM spaces s WHERE s.expire_at > %(now)s::timestamptz
    ), told AS (
        INSERT INTO space_expiration_notices (space_id, expire_at, days)
        SELECT e.id, e.expire_at, due.days FROM expiring e
        CROSS JOIN LATERAL (
            SELECT min(each) AS days FROM unnest(%(days)s::integer[]) each WHERE each >= e.days_left
        ) due
        WHERE due.days = e.days_left OR e.updated_at < e.expire_at - make_interval(days => due.days)
        ON CONFLICT DO NOTHING RETURNING space_id
    )
    SELECT e.domain, e.name, e.host, e.web_panel, e.expire_at, e.days_left
    FROM told JOIN expiring e ON e.id = told.space_id ORDER BY e.id
    """,
)
ADMINISTRATORS = Query(
    "find who is told of a Space",
    """
    SELECT DISTINCT lower(email), email FROM accounts
    WHERE domain = %(domain)s AND admin AND activated AND NOT blocked AND email IS NOT NULL ORDER BY email
    """,
)


@frozen
class Expiring:
    """A Space that expires; `days_left` are begun days."""

    domain: str
    name: str
    host: str
    web_panel: bool
    expire_at: datetime
    days_left: int


async def claim(runner: Runner, days: Sequence[int], now: datetime) -> list[Expiring]:
    """Return the Spaces that expire in one of so many days and of which it was not told yet for that number.

    Nobody else gets them, if the transaction is committed.
    """
    return [Expiring(**row) for row in await runner.run(CLAIM, days=list(days), now=now)]


async def administrators(runner: Runner, domain: str) -> list[str]:
    """Return the email addresses of those who administer a Space."""
    return [row["email"] for row in await runner.run(ADMINISTRATORS, domain=domain)]
