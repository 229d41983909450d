"""What is in the outbox, as it is delivered; what is for webhooks is `flexid.store.webhook_deliveries`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from flexid.domain.outbox import Due
from flexid.store.query import Query, Runner

# An attempt is counted, and the next one fixed, before it is made: whoever dies meanwhile leaves the row to others.
# From half a minute the waits double up to a longest one, each shortened by up to a quarter so that they spread.
CLAIM = Query(
    "claim what is due",
    """
    UPDATE outbox SET attempts = attempts + 1, next_attempt_at = now()
        + least(%(longest_wait)s, interval '30 seconds' * power(2, least(attempts, 10))) * (1 - random() / 4)
    WHERE id IN (
        SELECT id FROM outbox
        WHERE state = 'waiting' AND next_attempt_at <= now() AND channel = ANY (%(channels)s) AND webhook_id IS NULL
        ORDER BY next_attempt_at LIMIT %(most)s FOR UPDATE SKIP LOCKED
    ) RETURNING id, channel, domain, payload, attempts, created_at
    """,
)
# What was sent stays for the record, without what it said.
SENT = Query(
    "note what was delivered",
    """
    UPDATE outbox SET state = 'sent', sent_at = now(), last_error = NULL,
        payload = payload - ARRAY['values', 'qr', 'code']
    WHERE id = %(id)s
    """,
)
FAILED = Query(
    "note what was not delivered",
    """
    UPDATE outbox SET last_error = %(reason)s,
        state = CASE WHEN attempts >= %(most_attempts)s THEN 'dead' ELSE state END
    WHERE id = %(id)s AND state = 'waiting'
    """,
)
CLEAR = Query(
    "clear the record of deliveries",
    """
    DELETE FROM outbox WHERE id IN (
        SELECT id FROM outbox WHERE state = 'sent' AND sent_at < %(before)s AND channel = ANY (%(channels)s) LIMIT 10000
    ) RETURNING id
    """,
)
GIVE_UP = Query(
    "give up what waits",
    """
    DELETE FROM outbox WHERE id IN (
        SELECT id FROM outbox
        WHERE state = 'waiting' AND created_at < %(before)s AND channel = ANY (%(channels)s) AND webhook_id IS NULL
        LIMIT 10000
    ) RETURNING id
    """,
)


async def claim(
    runner: Runner, channels: Sequence[str], most: int, longest_wait: timedelta = timedelta(hours=1)
) -> list[Due]:
    """Return what is due on these channels, at most so much, in the order in which it was put there.

    Nobody else gets it for half a minute; what fails is due again after ever more time, up to `longest_wait`.
    """
    rows = await runner.run(CLAIM, channels=list(channels), most=most, longest_wait=longest_wait)
    return sorted((Due(**row) for row in rows), key=lambda due: due.id)


async def sent(runner: Runner, delivered: int) -> None:
    """Note that something was delivered."""
    await runner.run(SENT, id=delivered)


async def failed(runner: Runner, undelivered: int, reason: str, most_attempts: int) -> None:
    """Note why something was not delivered; after so many attempts there is no further one."""
    await runner.run(FAILED, id=undelivered, reason=reason, most_attempts=most_attempts)


async def clear(runner: Runner, channels: Sequence[str], before: datetime) -> int:
    """Forget what was delivered before a time, at most 10,000 at once; return how many."""
    return len(await runner.run(CLEAR, channels=list(channels), before=before))


async def give_up(runner: Runner, channels: Sequence[str], before: datetime) -> int:
    """Drop what has waited since before a time, at most 10,000 at once; return how many."""
    return len(await runner.run(GIVE_UP, channels=list(channels), before=before))
