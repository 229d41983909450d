"""How much waits: counted up to a bound, so that a look costs the same however much that is."""

from __future__ import annotations

from flexid.store.query import Query, Row, Runner

MOST = 10_000
"""Beyond this nobody needs the exact number."""

OUTBOX = Query(
    "count what is in the outbox",
    """
    SELECT channel, state, (
        SELECT count(*) FROM (
            SELECT FROM outbox o WHERE o.channel = channels.channel AND o.state = states.state LIMIT %(most)s
        ) AS counted
    ) AS items
    FROM unnest(ARRAY['mail', 'sms', 'webhook', 'registrar', 'b2bua']) AS channels (channel),
        unnest(ARRAY['waiting', 'dead']) AS states (state)
    """,
)
# What was tried and failed; the latest words of each channel.
TROUBLES = Query(
    "why the outbox waits",
    """
    SELECT channel, count(*) AS items, max(attempts) AS attempts, min(created_at) AS since,
        (array_agg(last_error ORDER BY id DESC))[1] AS error
    FROM (
        SELECT o.* FROM unnest(ARRAY['mail', 'sms', 'webhook', 'registrar', 'b2bua']) AS channels (channel)
        CROSS JOIN LATERAL (
            SELECT id, channel, attempts, created_at, last_error FROM outbox
            WHERE outbox.channel = channels.channel AND state = 'waiting' LIMIT 1000
        ) AS o
    ) AS waiting
    WHERE last_error IS NOT NULL GROUP BY channel
    """,
)
OLDEST = Query(
    "since when the outbox is late",
    """
    SELECT coalesce(extract(epoch FROM now() - min(created_at)), 0)::float AS seconds FROM (
        SELECT o.created_at FROM unnest(ARRAY['mail', 'sms', 'webhook', 'registrar', 'b2bua']) AS channels (channel)
        CROSS JOIN LATERAL (
            SELECT created_at FROM outbox
            WHERE outbox.channel = channels.channel AND state = 'waiting' LIMIT 1000
        ) AS o
    ) AS waiting
    """,
)
MESSAGES = Query(
    "count SIP messages that are not through",
    """
    SELECT 'queued' AS state, (
        SELECT count(*) FROM (SELECT FROM messages WHERE state = 'queued' LIMIT %(most)s) AS counted) AS items
    UNION ALL
    SELECT 'in_progress', (
        SELECT count(*) FROM (SELECT FROM messages WHERE state = 'in_progress' LIMIT %(most)s) AS counted)
    """,
)


async def outbox(runner: Runner) -> dict[tuple[str, str], int]:
    """Return how much waits, and how much was given up, by channel and state."""
    return {(row["channel"], row["state"]): row["items"] for row in await runner.run(OUTBOX, most=MOST)}


async def oldest(runner: Runner) -> float:
    """Return how many seconds the oldest of what waits has waited, among those that are counted."""
    seconds: float = (await runner.run(OLDEST))[0]["seconds"]
    return seconds


async def messages(runner: Runner) -> dict[str, int]:
    """Return how many SIP messages wait, and how many are under way."""
    return {row["state"]: row["items"] for row in await runner.run(MESSAGES, most=MOST)}


async def troubles(runner: Runner) -> list[Row]:
    """Return for each channel what was tried in vain: `items`, `attempts`, `since` and the last `error`."""
    return await runner.run(TROUBLES)
