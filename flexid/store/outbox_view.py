"""The outbox as operators see it: what it holds, without what it says."""

from __future__ import annotations

from flexid.domain.outbox import Entry
from flexid.store.query import Query, Runner

# Codes, links and whatever else a payload holds stay where they are.
LIST = Query(
    "list the outbox",
    """
    SELECT id, channel, domain, state, attempts, last_error, created_at, sent_at,
        CASE WHEN state = 'waiting' THEN next_attempt_at END AS next_attempt_at,
        CASE channel
            WHEN 'mail' THEN concat_ws(' to ', payload ->> 'name', payload ->> 'to')
            WHEN 'sms' THEN concat('to ', payload ->> 'to')
            WHEN 'webhook' THEN concat(payload ->> 'type', ' to webhook ', webhook_id)
            WHEN 'registrar' THEN concat(jsonb_array_length(payload -> 'addresses'), ' addresses')
            WHEN 'b2bua' THEN concat(payload ->> 'username', '@', payload ->> 'domain')
            ELSE ''
        END AS about
    FROM outbox
    WHERE (%(state)s::text IS NULL OR state = %(state)s) AND (%(channel)s::text IS NULL OR channel = %(channel)s)
    ORDER BY id DESC LIMIT %(most)s
    """,
)
# What is for a webhook that is switched off would wait for ever.
_RETRIED = """
    UPDATE outbox o SET state = 'waiting', attempts = 0, unsure = 0, next_attempt_at = now()
    WHERE NOT EXISTS (SELECT FROM webhooks w WHERE w.id = o.webhook_id AND NOT w.enabled)
"""
RETRY = Query(
    "deliver something once more", f"{_RETRIED} AND o.id = %(id)s AND o.state IN ('waiting', 'dead') RETURNING o.id"
)
RETRY_DEAD = Query(
    "deliver once more what was given up",
    f"""
    {_RETRIED} AND o.state = 'dead' AND (%(channel)s::text IS NULL OR o.channel = %(channel)s) RETURNING o.id
    """,
)
FIND_STATE = Query("how something in the outbox stands", "SELECT state FROM outbox WHERE id = %(id)s")


async def list_of(runner: Runner, state: str | None, channel: str | None, most: int) -> list[Entry]:
    """Return what is in the outbox, the latest first: of a state and a channel, or of all."""
    return [Entry(**row) for row in await runner.run(LIST, state=state, channel=channel, most=most)]


async def state_of(runner: Runner, entry: int) -> str | None:
    """Return the state of something, None if there is no such thing."""
    rows = await runner.run(FIND_STATE, id=entry)
    return str(rows[0]["state"]) if rows else None


async def retry(runner: Runner, entry: int) -> bool:
    """Let something be delivered now; False if it was delivered, or is for a webhook that is switched off."""
    return bool(await runner.run(RETRY, id=entry))


async def retry_dead(runner: Runner, channel: str | None) -> int:
    """Let all be delivered now that was given up, of a channel or of all; return how much that is."""
    return len(await runner.run(RETRY_DEAD, channel=channel))
