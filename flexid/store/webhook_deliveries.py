"""What is in the outbox for webhooks, as it is delivered and as it is shown."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from flexid.domain.webhooks import Delivery, DueEvent
from flexid.store.query import Query, Runner

WAITED_FOR = Query(
    "find webhooks for which something is due",
    """
    SELECT w.id FROM webhooks w CROSS JOIN LATERAL (
        SELECT next_attempt_at FROM outbox
        WHERE webhook_id = w.id AND state = 'waiting' AND next_attempt_at <= now()
        ORDER BY next_attempt_at LIMIT 1
    ) due
    WHERE w.enabled AND w.id <> ALL (%(but)s::bigint[]) ORDER BY due.next_attempt_at LIMIT %(most)s
    """,
)
# An attempt is counted, and the next one fixed, before it is made: whoever dies meanwhile leaves the event to others.
# From half a minute the waits double up to six hours, each shortened by up to a quarter so that they spread.
CLAIM = Query(
    "claim what is due for a webhook",
    """
    UPDATE outbox o SET attempts = attempts + 1, next_attempt_at = now()
        + least(interval '6 hours', interval '30 seconds' * power(2, least(attempts, 10))) * (1 - random() / 4)
    FROM webhooks w JOIN spaces s ON s.id = w.space_id
    WHERE o.id = (
        SELECT id FROM outbox WHERE webhook_id = %(webhook_id)s AND state = 'waiting' AND next_attempt_at <= now()
        ORDER BY next_attempt_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
    ) AND w.id = o.webhook_id AND w.enabled
    RETURNING o.id, w.id AS webhook_id, s.domain, w.url, w.secret, o.payload, o.attempts, o.created_at
    """,
)
# What was sent stays for the record, without what it said.
SENT = Query(
    "note what a webhook has taken",
    """
    UPDATE outbox SET state = 'sent', sent_at = now(), last_error = NULL, payload = payload - 'data'
    WHERE id = %(id)s
    """,
)
FAILED = Query(
    "note what a webhook has not taken",
    """
    UPDATE outbox SET last_error = %(reason)s,
        state = CASE WHEN attempts >= %(most_attempts)s THEN 'dead' ELSE state END
    WHERE id = %(id)s AND state = 'waiting' RETURNING state
    """,
)
LIST = Query(
    "list deliveries of a webhook",
    """
    SELECT id, payload ->> 'type' AS event, state, attempts, last_error, created_at, sent_at,
        CASE WHEN state = 'waiting' THEN next_attempt_at END AS next_attempt_at
    FROM outbox
    WHERE webhook_id = %(webhook_id)s AND (%(state)s::text IS NULL OR state = %(state)s)
        AND (%(before)s::bigint IS NULL OR id < %(before)s)
    ORDER BY id DESC LIMIT %(most)s
    """,
)
RETRY = Query(
    "deliver once more what a webhook has not taken",
    """
    UPDATE outbox SET state = 'waiting', attempts = 0, next_attempt_at = now()
    WHERE webhook_id = %(webhook_id)s AND state IN ('dead', 'waiting') AND payload ? 'data'
        AND (%(id)s::bigint IS NULL AND state = 'dead' OR id = %(id)s)
    RETURNING id
    """,
)
CLEAR = Query(
    "clear the record of webhooks",
    """
    DELETE FROM outbox WHERE id IN (
        (SELECT id FROM outbox WHERE state = 'sent' AND sent_at < %(sent_before)s AND webhook_id IS NOT NULL LIMIT 5000)
        UNION ALL
        (SELECT id FROM outbox WHERE state = 'dead' AND created_at < %(dead_before)s AND webhook_id IS NOT NULL
            LIMIT 5000)
    ) RETURNING id
    """,
)


async def waited_for(runner: Runner, but: Sequence[int], most: int) -> list[int]:
    """Return webhooks for which something is due, those first for which it has been for longest, without some."""
    return [int(row["id"]) for row in await runner.run(WAITED_FOR, but=list(but), most=most)]


async def claim(runner: Runner, webhook_id: int) -> DueEvent | None:
    """Return what is to be delivered to a webhook now, in the order of the outbox; nobody else gets it meanwhile."""
    rows = await runner.run(CLAIM, webhook_id=webhook_id)
    return DueEvent(**rows[0]) if rows else None


async def sent(runner: Runner, delivered: int) -> None:
    """Note that something was taken."""
    await runner.run(SENT, id=delivered)


async def failed(runner: Runner, undelivered: int, reason: str, most_attempts: int) -> bool:
    """Note why something was not taken; return whether there is no further attempt, since there were so many."""
    rows = await runner.run(FAILED, id=undelivered, reason=reason, most_attempts=most_attempts)
    return bool(rows) and rows[0]["state"] == "dead"


async def list_of(runner: Runner, webhook_id: int, state: str | None, before: int | None, most: int) -> list[Delivery]:
    """Return deliveries of a webhook, the latest first; those in a state, those before another one."""
    rows = await runner.run(LIST, webhook_id=webhook_id, state=state, before=before, most=most)
    return [Delivery(**row) for row in rows]


async def retry(runner: Runner, webhook_id: int, delivery_id: int | None) -> int:
    """Let something be delivered now that was not taken, None: all that was given up; return how much that is."""
    return len(await runner.run(RETRY, webhook_id=webhook_id, id=delivery_id))


async def clear(runner: Runner, sent_before: datetime, dead_before: datetime) -> int:
    """Forget what was taken, and what was given up, before certain times; return how much."""
    return len(await runner.run(CLEAR, sent_before=sent_before, dead_before=dead_before))
