"""Digest nonces that were answered rightly at least once."""

from __future__ import annotations

from datetime import datetime

from flexid.domain.account import Account
from flexid.store.accounts import COLUMNS, JOINS, from_row
from flexid.store.query import Query, Runner

# Insert, or raise the counter where the stored one is smaller: of two answers with one `nc` the database lets one pass,
# and none in another epoch than that in which it was judged. Whoever passes is about to do something with its account,
# so that comes along.
COUNT = Query(
    "count an answer to a nonce",
    f"""
    WITH counted AS (
        INSERT INTO nonces AS n (opaque, account_id, nc, used_at)
        SELECT %(opaque)s, %(account_id)s, %(nc)s, %(now)s FROM nonce_epochs WHERE epoch::text = %(epoch)s
        ON CONFLICT (opaque) DO UPDATE SET nc = excluded.nc, used_at = excluded.used_at
            WHERE n.nc < excluded.nc AND NOT n.dead
        RETURNING account_id
    )
    SELECT {COLUMNS} FROM counted JOIN accounts a ON a.id = counted.account_id {JOINS}
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
NEW_EPOCH = Query("begin an epoch of nonces", "INSERT INTO nonce_epochs DEFAULT VALUES ON CONFLICT DO NOTHING")
VOID_ALL = Query(
    "void all nonces",
    "INSERT INTO nonce_epochs DEFAULT VALUES ON CONFLICT (is_current) DO UPDATE SET epoch = excluded.epoch",
)
KEY = Query("key of Digest nonces", "SELECT key FROM server_keys WHERE purpose = 'digest nonces'")


async def count(
    runner: Runner, epoch: str | None, opaque: str, account_id: int, nc: int, now: datetime
) -> Account | None:
    """Note an answer with this counter and return its account.

    None if this counter, or a higher one, came before, or if the epoch is over.
    """
    rows = await runner.run(COUNT, epoch=epoch, opaque=opaque, account_id=account_id, nc=nc, now=now)
    return from_row(rows[0]) if rows else None


async def kill(runner: Runner, opaque: str) -> None:
    """Let no answer pass any more."""
    await runner.run(KILL, opaque=opaque)


async def clear(runner: Runner, before: datetime) -> int:
    """Forget nonces last used before a moment, at most 10,000 at once; return how many."""
    return len(await runner.run(CLEAR, before=before))


async def new_epoch(runner: Runner) -> None:
    """Begin an epoch where there is none."""
    await runner.run(NEW_EPOCH)


async def void_all(runner: Runner) -> None:
    """Let no answer pass to a challenge of before, whether it was used or not."""
    await runner.run(VOID_ALL)


async def key(runner: Runner) -> bytes:
    """Return the secret that all nodes sign nonces with."""
    return bytes((await runner.run(KEY))[0]["key"])
