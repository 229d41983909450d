"""SIP messages: the queue, and what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from attrs import frozen

from flexid.domain.message import Claimed, DaemonState, Message, Outgoing, State
from flexid.domain.sip_address import SipAddress
from flexid.store.query import Query, Row, Runner

QUEUED, SETTLED = "flexid_messages", "flexid_messages_settled"
"""Channels: something waits to be sent; the message of this id was taken by the daemon, or never will be."""

# One statement decides by what the process that owns the daemon last said of it, and by how many wait already.
ADD = Query(
    "add a message to the queue",
    f"""
    WITH daemon AS (
        SELECT state, state IN ('away', 'busy') AND since < now() - %(patience)s::float * interval '1 second' AS is_gone
        FROM message_daemons WHERE socket = %(socket)s
    ), waiting AS (
        SELECT count(*) AS number
        FROM (SELECT FROM messages WHERE domain = %(domain)s AND state = 'queued' LIMIT %(most)s::bigint) AS queued
    ), added AS (
        INSERT INTO messages (domain, account_id, recipient, body, expires_at)
        SELECT %(domain)s, %(account_id)s, %(recipient)s, %(body)s,
            now() + coalesce(%(lifetime)s::float, %(patience)s::float) * interval '1 second'
        FROM waiting WHERE number < %(most)s::bigint
            AND (%(lifetime)s::float IS NOT NULL OR NOT EXISTS (SELECT FROM daemon WHERE is_gone))
        RETURNING id
    )
    SELECT added.id, daemon.state, coalesce(daemon.is_gone, false) AS is_gone, number >= %(most)s::bigint AS is_full,
        CASE WHEN added.id IS NOT NULL THEN pg_notify('{QUEUED}', '') END
    FROM waiting LEFT JOIN added ON true LEFT JOIN daemon ON true
    """,
)
# The oldest of the Space that follows the one that was served last.
CLAIM = Query(
    "claim the next message",
    """
    WITH following AS (
        SELECT id FROM messages WHERE state = 'queued' AND domain > %(after)s AND expires_at > now()
        ORDER BY domain, number LIMIT 1 FOR UPDATE SKIP LOCKED
    ), first AS (
        SELECT id FROM messages WHERE state = 'queued' AND expires_at > now()
        ORDER BY domain, number LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    UPDATE messages SET state = 'in_progress', sent_at = now(), socket = %(socket)s
    WHERE id = coalesce((SELECT id FROM following), (SELECT id FROM first)) AND state = 'queued'
    RETURNING id, domain, recipient, body, sent_at
    """,
)
_UNSENT = "id = %(id)s AND state = 'in_progress' AND call_id IS NULL AND sent_at = %(claimed_at)s"
RELEASE = Query(
    "put a message back into the queue",
    f"UPDATE messages SET state = 'queued', sent_at = NULL, socket = NULL WHERE {_UNSENT}",
)
TAKEN = Query(
    "note that the daemon has taken a message",
    f"""
    WITH taken AS (UPDATE messages SET call_id = %(call_id)s, body = '' WHERE id = %(id)s RETURNING id)
    SELECT pg_notify('{SETTLED}', id::text) FROM taken
    """,
)
ENDED = Query(
    "note what became of messages",
    f"""
    WITH ended AS (
        UPDATE messages SET state = %(state)s, error = %(error)s, body = '',
            delivered_at = CASE WHEN %(state)s::text = 'delivered' THEN %(at)s::timestamptz END
        WHERE id = ANY (%(ids)s) AND state = 'in_progress' RETURNING id
    )
    SELECT pg_notify('{SETTLED}', id::text) FROM ended
    """,
)
LEFT_BEHIND = Query(
    "note what a process left behind",
    f"""
    WITH left_behind AS (
        UPDATE messages SET state = 'unknown', error = %(error)s, body = ''
        WHERE socket = %(socket)s AND state = 'in_progress' RETURNING id
    )
    SELECT pg_notify('{SETTLED}', id::text) FROM left_behind
    """,
)
WITHDRAW = Query(
    "withdraw a message", "DELETE FROM messages WHERE id = %(id)s AND state IN ('queued', 'expired') RETURNING id"
)
_MESSAGE = """
    id, call_id, recipient, error, created_at, sent_at, delivered_at,
    CASE WHEN state = 'queued' AND expires_at <= now() THEN 'expired' ELSE state END AS state
"""
FIND = Query(
    "find a message",
    f"""
    SELECT {_MESSAGE} FROM messages
    WHERE (id = %(id)s OR call_id = %(call_id)s) AND (%(domain)s::text IS NULL OR domain = %(domain)s)
    """,
)
EXPIRE = Query(
    "expire messages",
    """
    UPDATE messages SET state = 'expired', body = '' WHERE id IN (
        SELECT id FROM messages WHERE state = 'queued' AND expires_at <= now() LIMIT 1000 FOR UPDATE SKIP LOCKED
    ) AND state = 'queued' RETURNING id
    """,
)
# Of daemons that nobody is configured for any more, nothing will be heard.
ABANDON = Query(
    "give up messages of which nothing is heard",
    """
    UPDATE messages SET state = 'unknown', error = 'nothing was heard of it', body = ''
    WHERE id IN (SELECT id FROM messages WHERE state = 'in_progress' AND sent_at < %(before)s LIMIT 1000) RETURNING id
    """,
)
CLEAR = Query(
    "clear messages",
    """
    DELETE FROM messages WHERE id IN (
        SELECT id FROM messages WHERE created_at < %(before)s AND state NOT IN ('queued', 'in_progress') LIMIT 10000
    ) RETURNING id
    """,
)


@frozen
class Added:
    """The id of a new message, None if it was not taken; the state of the daemon, and whether that will not do."""

    id: UUID | None
    state: DaemonState | None
    is_gone: bool
    is_full: bool


async def add(
    runner: Runner, socket: str, domain: str, account_id: int | None, outgoing: Outgoing, *, patience: float, most: int
) -> Added:
    """Add a message to the queue; not if `most` of the Space wait, nor, if it may not wait, while the daemon is gone.

    A message that may not wait expires after `patience` seconds; a daemon that is away for so long is gone.
    """
    (row,) = await runner.run(
        ADD,
        socket=socket,
        domain=domain,
        account_id=account_id,
        recipient=str(outgoing.recipient),
        body=outgoing.text,
        lifetime=outgoing.lifetime,
        patience=patience,
        most=most,
    )
    return Added(_uuid(row["id"]), row["state"], row["is_gone"], row["is_full"])


async def claim(runner: Runner, socket: str, after: str) -> Claimed | None:
    """Return the next message to send, of the Space that comes after `after`; nobody else gets it."""
    rows = await runner.run(CLAIM, socket=socket, after=after)
    if not rows:
        return None
    (row,) = rows
    username, _, domain = row["recipient"].rpartition("@")
    return Claimed(UUID(row["id"]), row["domain"], SipAddress(username, domain), row["body"], row["sent_at"])


async def release(runner: Runner, claimed: Claimed) -> None:
    """Put a message back that was not sent; it keeps its place."""
    await runner.run(RELEASE, id=str(claimed.id), claimed_at=claimed.claimed_at)


async def taken(runner: Runner, message: UUID, call_id: str) -> None:
    """Note under which Call-ID the daemon sends a message."""
    await runner.run(TAKEN, id=str(message), call_id=call_id)


async def ended(runner: Runner, messages: Sequence[UUID], state: State, at: datetime, error: str | None = None) -> None:
    """Note what became of messages that were in progress."""
    await runner.run(ENDED, ids=[str(each) for each in messages], state=state, at=at, error=error)


async def left_behind(runner: Runner, socket: str, error: str) -> None:
    """Note that nothing will be heard of messages that another process sent through a socket."""
    await runner.run(LEFT_BEHIND, socket=socket, error=error)


async def withdraw(runner: Runner, message: UUID) -> bool:
    """Forget a message that was not sent; return whether it was not."""
    return bool(await runner.run(WITHDRAW, id=str(message)))


async def find(runner: Runner, message: UUID | None, call_id: str | None, domain: str | None) -> Message | None:
    """Return the message of an id or of a Call-ID, in the Space of a domain; None for any Space."""
    rows = await runner.run(FIND, id=message and str(message), call_id=call_id, domain=domain)
    return _message(rows[0]) if rows else None


async def expire(runner: Runner) -> int:
    """Mark messages that have waited too long, at most 1,000; return how many."""
    return len(await runner.run(EXPIRE))


async def abandon(runner: Runner, before: datetime) -> int:
    """Mark messages that were sent before a time and have come to no end, at most 1,000; return how many."""
    return len(await runner.run(ABANDON, before=before))


async def clear(runner: Runner, before: datetime) -> int:
    """Forget messages that were accepted before a time and came to their end, at most 10,000; return how many."""
    return len(await runner.run(CLEAR, before=before))


def _message(row: Row) -> Message:
    return Message(**{**row, "id": UUID(row["id"])})


def _uuid(value: str | None) -> UUID | None:
    return None if value is None else UUID(value)
