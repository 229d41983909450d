"""What is in the outbox, as it is delivered; what is for webhooks is `flexid.store.webhook_deliveries`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from flexid.domain.outbox import Due
from flexid.store.query import Query, Runner

LEASE = timedelta(seconds=20)
"""How long nobody else gets what was claimed, unless the caller needs longer."""

# An attempt is counted, and the next one fixed, before it is made: whoever dies meanwhile leaves the row to others.
# From half a minute the waits double up to a longest one, each shortened by up to a quarter so that they spread.
_WAIT = "interval '30 seconds' * power(2, least(outbox.attempts{made}, 10))"
_SPREAD = "(1 - random() / 4)"
_CLAIMED = f"""
    attempts = outbox.attempts + 1, unsure = outbox.unsure + 1, next_attempt_at = now()
        + greatest(%(lease)s, least(%(longest_wait)s, {_WAIT.format(made="")}) * {_SPREAD})
"""
_SHOWN = "outbox.id, outbox.channel, outbox.domain, outbox.payload, outbox.attempts, outbox.created_at"

CLAIM = Query(
    "claim what is due",
    f"""
    UPDATE outbox SET {_CLAIMED}
    WHERE id IN (
        SELECT id FROM outbox WHERE state = 'waiting' AND webhook_id IS NULL AND next_attempt_at <= now()
            AND channel = ANY (%(channels)s) AND (channel <> 'sms' OR unsure < 2)
        ORDER BY next_attempt_at LIMIT %(most)s FOR UPDATE SKIP LOCKED
    ) RETURNING {_SHOWN}
    """,
)
# Of each Space a few: one that has very many mails waits for its turn as the others do.
CLAIM_MAILS = Query(
    "claim mails that are due",
    f"""
    WITH due AS MATERIALIZED (
        SELECT next.id FROM spaces s LEFT JOIN space_email_servers e ON e.space_id = s.id
        CROSS JOIN LATERAL (
            SELECT o.id, o.next_attempt_at FROM outbox o
            WHERE o.domain = s.domain AND o.state = 'waiting' AND o.channel = 'mail' AND o.next_attempt_at <= now()
            ORDER BY o.next_attempt_at LIMIT %(each)s FOR UPDATE SKIP LOCKED
        ) next
        WHERE (e.id IS NOT NULL) = %(own)s AND s.domain <> ALL (%(busy)s::text[])
            AND (%(only)s::text IS NULL OR s.domain = %(only)s::text)
            AND EXISTS (
                SELECT FROM outbox
                WHERE state = 'waiting' AND webhook_id IS NULL AND channel = 'mail' AND next_attempt_at <= now()
            )
        ORDER BY next.next_attempt_at LIMIT %(most)s
    )
    UPDATE outbox SET {_CLAIMED} FROM due WHERE outbox.id = due.id RETURNING {_SHOWN}
    """,
)
# What was sent stays for the record, without what it said.
SENT = Query(
    "note what was delivered",
    """
    UPDATE outbox SET state = 'sent', sent_at = now(), last_error = NULL, unsure = 0,
        payload = payload - ARRAY['values', 'qr', 'code']
    WHERE id = %(id)s
    """,
)
FAILED = Query(
    "note what was not delivered",
    f"""
    UPDATE outbox SET last_error = %(reason)s,
        next_attempt_at = least(next_attempt_at, now() + {_WAIT.format(made=" - 1")} * {_SPREAD}),
        unsure = greatest(0, unsure - CASE WHEN %(doubtful)s THEN 0 ELSE 1 END),
        state = CASE
            WHEN attempts >= %(most_attempts)s OR %(doubtful)s AND unsure >= 2 THEN 'dead'
            ELSE state
        END
    WHERE id = %(id)s AND state = 'waiting' RETURNING state
    """,
)
# A code that reaches its owner twice does no harm, three times it looks like an attack.
RESUME = Query(
    "take over what somebody had begun",
    """
    UPDATE outbox SET next_attempt_at = now(),
        unsure = CASE WHEN channel = 'sms' THEN unsure ELSE 0 END,
        last_error = 'the process that delivered it came to a sudden end',
        state = CASE WHEN channel = 'sms' AND unsure >= 2 THEN 'dead' ELSE state END
    WHERE state = 'waiting' AND webhook_id IS NULL AND unsure > 0 AND channel = ANY (%(channels)s) RETURNING id
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
CLEAR_DEAD = Query(
    "clear the record of what was not delivered",
    """
    DELETE FROM outbox WHERE id IN (
        SELECT id FROM outbox
        WHERE state = 'dead' AND created_at < %(before)s AND channel = ANY (%(channels)s) LIMIT 10000
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
    runner: Runner,
    channels: Sequence[str],
    most: int,
    longest_wait: timedelta = timedelta(hours=1),
    lease: timedelta = LEASE,
) -> list[Due]:
    """Return what is due on these channels, at most so much, in the order in which it was put there.

    Nobody else gets it for as long as `lease`; what fails is due again after ever more time, up to `longest_wait`.
    """
    rows = await runner.run(CLAIM, channels=list(channels), most=most, longest_wait=longest_wait, lease=lease)
    return sorted((Due(**row) for row in rows), key=lambda due: due.id)


async def claim_mails(
    runner: Runner,
    lease: timedelta,
    most: int,
    each: int,
    *,
    own: bool,
    busy: Sequence[str] = (),
    only: str | None = None,
) -> list[Due]:
    """Return mails that are due, at most so many, and so many of each Space.

    They are of Spaces with a mail server of their `own`, or of the others; not of those that are `busy`; of one `only`.
    """
    rows = await runner.run(
        CLAIM_MAILS,
        lease=lease,
        longest_wait=timedelta(hours=1),
        most=most,
        each=each,
        own=own,
        busy=list(busy),
        only=only,
    )
    return sorted((Due(**row) for row in rows), key=lambda due: due.id)


async def sent(runner: Runner, delivered: int) -> None:
    """Note that something was delivered."""
    await runner.run(SENT, id=delivered)


async def failed(
    runner: Runner, undelivered: int, reason: str, most_attempts: int, *, doubtful: bool = False
) -> Literal["waiting", "dead"] | None:
    """Note why something was not delivered, and return what becomes of it; after so many attempts it is dead.

    Where it is `doubtful` whether it was taken, the second such attempt was the last one.
    """
    rows = await runner.run(FAILED, id=undelivered, reason=reason, most_attempts=most_attempts, doubtful=doubtful)
    return rows[0]["state"] if rows else None


async def resume(runner: Runner, channels: Sequence[str]) -> int:
    """Let what nobody delivers any more be due at once, and return how much that is.

    For the one who delivers on these channels from now on, before it begins.
    """
    return len(await runner.run(RESUME, channels=list(channels)))


async def clear(runner: Runner, channels: Sequence[str], before: datetime) -> int:
    """Forget what was delivered before a time, at most 10,000 at once; return how many."""
    return len(await runner.run(CLEAR, channels=list(channels), before=before))


async def clear_dead(runner: Runner, channels: Sequence[str], before: datetime) -> int:
    """Forget what could not be delivered and is older than a time, at most 10,000 at once; return how many."""
    return len(await runner.run(CLEAR_DEAD, channels=list(channels), before=before))


async def give_up(runner: Runner, channels: Sequence[str], before: datetime) -> int:
    """Drop what has waited since before a time, at most 10,000 at once; return how many."""
    return len(await runner.run(GIVE_UP, channels=list(channels), before=before))
