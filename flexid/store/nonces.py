"""Digest nonces that were answered rightly at least once."""

from __future__ import annotations

from datetime import datetime

from flexid.store.query import Query, Runner

# Insert, or raise the counter where the stored one is smaller: of two answers with one `nc` the database lets one pass.
COUNT = Query(
    "count an answer to a nonce",
    """
    INSERT INTO nonces AS n (opaque, account_id, nc, used_at) VALUES (%(opaque)s, %(account_id)s, %(nc)s, %(now)s)
    ON CONFLICT (opaque) DO UPDATE SET nc = excluded.nc, used_at = excluded.used_at
        WHERE n.nc < excluded.nc AND NOT n.dead
    RETURNING opaque
    """,
)
KILL = Query("kill a nonce", "UPDATE nonces SET dead = true WHERE opaque = %(opaque)s")
CLEAR = Query(
    "clear nonces",
    """
    DELETE FROM nonces WHERE opaque IN (SELECT opaque FROM nonces WHERE used_at < %(before)s LIMIT 10000)
    RETURNING opaque
    """,
)
KEY = Query("key of Digest nonces", "SELECT key FROM server_keys WHERE purpose = 'digest nonces'")


async def count(runner: Runner, opaque: str, account_id: int, nc: int, now: datetime) -> bool:
    """Note an answer with this counter; return whether it is the first to come with it and none higher came before."""
    return bool(await runner.run(COUNT, opaque=opaque, account_id=account_id, nc=nc, now=now))


async def kill(runner: Runner, opaque: str) -> None:
    """Let no answer pass any more."""
    await runner.run(KILL, opaque=opaque)


async def clear(runner: Runner, before: datetime) -> int:
    """Forget nonces last used before a moment, at most 10,000 at once; return how many."""
    return len(await runner.run(CLEAR, before=before))


async def key(runner: Runner) -> bytes:
    """Return the secret that all nodes sign nonces with."""
    return bytes((await runner.run(KEY))[0]["key"])
