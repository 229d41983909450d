"""The audit log; its rows are written by triggers (migration 0020)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flexid.domain.audit import MOST_COUNTED, AuditEntry, AuditWish
from flexid.store.query import Query, Runner

MAX_ID = (1 << 63) - 1

_COLUMNS = """
    id, domain, action, account_id, account, actor_id, actor, means, credential, ip, user_agent, request_id, details,
    created_at
"""
CLEAR = Query(
    "clear the audit log",
    """
    DELETE FROM audit_log WHERE id IN (
        SELECT id FROM audit_log WHERE created_at < %(before)s LIMIT 10000
    ) RETURNING id
    """,
)


async def page(
    runner: Runner, wish: AuditWish, offset: int, per_page: int, *, own: bool
) -> tuple[int, list[AuditEntry]]:
    """Return how many entries there are, counted up to a bound, and `per_page` of them from `offset`, the latest first.

    `own`: only what was noted since the Space was made: its domain may have been another Space's before.
    """
    conditions, values = _conditions(wish, own=own)
    where = " AND ".join(conditions) or "true"
    counting = f"SELECT count(*) AS total FROM (SELECT FROM audit_log WHERE {where} LIMIT %(most)s) AS counted"
    listing = f"SELECT {_COLUMNS} FROM audit_log WHERE {where} ORDER BY id DESC LIMIT %(limit)s OFFSET %(offset)s"
    total = await runner.run(
        Query("count entries of the audit log", counting, prepare=False), **values, most=MOST_COUNTED
    )
    limit = max(0, min(per_page, MOST_COUNTED - offset))
    query = Query("page of the audit log", listing, prepare=False)
    rows = await runner.run(query, **values, limit=limit, offset=min(offset, MOST_COUNTED))
    return total[0]["total"], [AuditEntry(**row) for row in rows]


async def clear(runner: Runner, before: datetime) -> int:
    """Forget what was noted before a time, at most 10,000 entries at once; return how many."""
    return len(await runner.run(CLEAR, before=before))


def _conditions(wish: AuditWish, *, own: bool) -> tuple[list[str], dict[str, Any]]:
    conditions, values = [], dict[str, Any]()
    if wish.domain is not None:
        conditions.append("domain = %(domain)s")
        values["domain"] = wish.domain
        if own:
            conditions.append("created_at >= (SELECT s.created_at FROM spaces s WHERE s.domain = %(domain)s)")
    for name, column, of in (("account", "account_id", wish.account), ("actor", "actor_id", wish.actor)):
        if of is not None:
            number = int(of) if of.isascii() and of.isdigit() else None
            known = number is not None and number <= MAX_ID
            conditions.append(f"{column} = %({name})s" if known else f"{name} = %({name})s")
            values[name] = number if known else of
    if wish.action is not None:
        conditions.append("action = %(action)s" if "." in wish.action else "starts_with(action, %(action)s || '.')")
        values["action"] = wish.action
    if wish.since is not None:
        conditions.append("created_at >= %(since)s")
        values["since"] = wish.since
    if wish.until is not None:
        conditions.append("created_at < %(until)s")
        values["until"] = wish.until
    return conditions, values
