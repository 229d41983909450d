"""What grew old without anybody needing it: accounts that were never confirmed, tombstones, statistics.

All is deleted by batches of at most `AT_ONCE`, the oldest first.
"""

from __future__ import annotations

from datetime import datetime

from flexid.store.query import Query, Runner

AT_ONCE = 1000
# Administrators stay, whatever they confirmed: without them nobody could get in.
_UNCONFIRMED = "NOT activated AND NOT admin AND created_at < %(before)s"
_ANY = "NOT admin AND created_at < %(before)s"
_TOMBSTONES = "kind = 'tombstone' AND created_at < %(before)s"


def _delete_accounts(name: str, condition: str, order: str, *, prepare: bool) -> Query:
    # What they sent goes with them, as when they are deleted one by one; their names are free again.
    return Query(
        name,
        f"""
        WITH gone AS MATERIALIZED (
            SELECT id, username, domain FROM accounts WHERE {condition}
            ORDER BY {order} LIMIT {AT_ONCE} FOR UPDATE SKIP LOCKED
        ), calls AS (
            DELETE FROM statistics_calls s USING gone
            WHERE s.from_username = gone.username AND s.from_domain = gone.domain
        ), messages AS (
            DELETE FROM statistics_messages s USING gone
            WHERE s.from_username = gone.username AND s.from_domain = gone.domain
        )
        DELETE FROM accounts WHERE id = ANY (ARRAY(SELECT id FROM gone)) RETURNING id
        """,
        prepare,
    )


COUNT_UNCONFIRMED = Query(
    "count accounts that were never confirmed", f"SELECT count(*) AS number FROM accounts WHERE {_UNCONFIRMED}"
)
# Hardly ever asked for, and through all accounts there is no shorter way.
COUNT_ANY = Query("count old accounts", f"SELECT count(*) AS number FROM accounts WHERE {_ANY}", prepare=False)
DELETE_UNCONFIRMED = _delete_accounts(
    "delete accounts that were never confirmed", _UNCONFIRMED, "created_at", prepare=True
)
DELETE_ANY = _delete_accounts("delete old accounts", _ANY, "id", prepare=False)
COUNT_TOMBSTONES = Query("count old tombstones", f"SELECT count(*) AS number FROM account_names WHERE {_TOMBSTONES}")
DELETE_TOMBSTONES = Query(
    "delete old tombstones",
    f"""
    WITH gone AS MATERIALIZED (
        SELECT domain, name FROM account_names WHERE {_TOMBSTONES}
        ORDER BY created_at LIMIT {AT_ONCE} FOR UPDATE SKIP LOCKED
    )
    DELETE FROM account_names n USING gone
    WHERE n.domain = gone.domain AND n.name = gone.name AND n.kind = 'tombstone' RETURNING n.name
    """,
)
COUNT_STATISTICS = Query(
    "count old statistics",
    """
    SELECT (SELECT count(*) FROM statistics_calls WHERE initiated_at < %(before)s)
        + (SELECT count(*) FROM statistics_messages WHERE sent_at < %(before)s) AS number
    """,
)
DELETE_CALLS, DELETE_MESSAGES = (
    Query(
        f"delete old {what}",
        f"""
        DELETE FROM statistics_{what} WHERE id IN (
            SELECT id FROM statistics_{what} WHERE {moment} < %(before)s
            ORDER BY {moment} LIMIT {AT_ONCE} FOR UPDATE SKIP LOCKED
        ) RETURNING id
        """,
    )
    for what, moment in (("calls", "initiated_at"), ("messages", "sent_at"))
)


async def count_accounts(runner: Runner, before: datetime, *, confirmed: bool) -> int:
    """Return how many accounts were made before a time and never confirmed; `confirmed`: those that were as well."""
    return await _number(runner, COUNT_ANY if confirmed else COUNT_UNCONFIRMED, before)


async def delete_accounts(runner: Runner, before: datetime, *, confirmed: bool) -> int:
    """Delete what `count_accounts` counts with what it sent, and leave no tombstone; return how many at once."""
    return len(await runner.run(DELETE_ANY if confirmed else DELETE_UNCONFIRMED, before=before))


async def count_tombstones(runner: Runner, before: datetime) -> int:
    """Return how many names are held since before a time by accounts that were deleted."""
    return await _number(runner, COUNT_TOMBSTONES, before)


async def delete_tombstones(runner: Runner, before: datetime) -> int:
    """Free such names; return how many at once."""
    return len(await runner.run(DELETE_TOMBSTONES, before=before))


async def count_statistics(runner: Runner, before: datetime) -> int:
    """Return how many calls and messages were begun or sent before a time."""
    return await _number(runner, COUNT_STATISTICS, before)


async def delete_statistics(runner: Runner, before: datetime) -> int:
    """Delete such calls and messages with their devices; return how many at once."""
    calls = await runner.run(DELETE_CALLS, before=before)
    return len(calls or await runner.run(DELETE_MESSAGES, before=before))


async def _number(runner: Runner, query: Query, before: datetime) -> int:
    return int((await runner.run(query, before=before))[0]["number"])
