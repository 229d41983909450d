"""Answers that are given again to requests that come again."""

from __future__ import annotations

from attrs import frozen

from flexid.domain.kept_answers import KeyedRequest
from flexid.store.query import Query, Runner

KEPT_HOURS = 24

# The lock is that of the transaction in which the first request does what it does: who does not get it comes while that
# one runs. Where it ends without a commit, whatever ended it, lock and row are gone with all that was done.
BEGIN = Query(
    "begin a request with a key",
    f"""
    INSERT INTO idempotency_keys AS k (caller, route, key, body_hash, answer)
    SELECT %(caller)s, %(route)s, %(key)s, %(body_hash)s, ''
    WHERE pg_try_advisory_xact_lock(hashtextextended(%(identity)s, 0))
    ON CONFLICT (caller, route, key) DO UPDATE SET
        body_hash = CASE WHEN k.created_at < now() - interval '{KEPT_HOURS} hours' THEN excluded.body_hash
            ELSE k.body_hash END,
        answer = CASE WHEN k.created_at < now() - interval '{KEPT_HOURS} hours' THEN '' ELSE k.answer END,
        created_at = CASE WHEN k.created_at < now() - interval '{KEPT_HOURS} hours' THEN now() ELSE k.created_at END
    RETURNING body_hash, answer, EXISTS (
        SELECT FROM idempotency_marks
        WHERE identity = %(identity)s AND created_at >= now() - interval '{KEPT_HOURS} hours'
    ) AS is_marked
    """,
)
MARK = Query(
    "mark a request with a key",
    """
    INSERT INTO idempotency_marks (identity) VALUES (%(identity)s)
    ON CONFLICT (identity) DO UPDATE SET created_at = now()
    """,
)
UNMARK = Query("take a request's mark away", "DELETE FROM idempotency_marks WHERE identity = %(identity)s")
KEEP = Query(
    "keep an answer",
    """
    UPDATE idempotency_keys SET answer = %(answer)s
    WHERE caller = %(caller)s AND route = %(route)s AND key = %(key)s
    """,
)
FORGET = Query(
    "forget a request with a key",
    "DELETE FROM idempotency_keys WHERE caller = %(caller)s AND route = %(route)s AND key = %(key)s",
)
CLEAR = Query(
    "clear kept answers",
    f"""
    DELETE FROM idempotency_keys WHERE (caller, route, key) IN (
        SELECT caller, route, key FROM idempotency_keys
        WHERE created_at < now() - interval '{KEPT_HOURS} hours' LIMIT 1000
    ) RETURNING key
    """,
)
CLEAR_MARKS = Query(
    "clear marks of requests",
    f"""
    DELETE FROM idempotency_marks WHERE identity IN (
        SELECT identity FROM idempotency_marks
        WHERE created_at < now() - interval '{KEPT_HOURS} hours' LIMIT 1000
    ) RETURNING identity
    """,
)
SECRET = Query("key of kept answers", "SELECT key FROM server_keys WHERE purpose = 'kept answers'")


@frozen
class Begun:
    """A request that begins, or has begun before."""

    body_hash: bytes
    answer: bytes
    """What it was answered; empty if this is the first."""
    is_marked: bool
    """Whether it broke off before, after it had done what nothing undoes."""


async def begin(runner: Runner, request: KeyedRequest) -> Begun | None:
    """Begin a request; None while the first one with its key runs."""
    rows = await runner.run(
        BEGIN,
        caller=request.caller,
        route=request.route,
        key=request.key,
        body_hash=request.body_hash,
        identity=request.identity,
    )
    return Begun(**rows[0]) if rows else None


async def mark(runner: Runner, request: KeyedRequest) -> None:
    """Note that a request is about to do something that nothing undoes."""
    await runner.run(MARK, identity=request.identity)


async def unmark(runner: Runner, request: KeyedRequest) -> None:
    """Note that its answer tells of it."""
    await runner.run(UNMARK, identity=request.identity)


async def keep(runner: Runner, request: KeyedRequest, answer: bytes) -> None:
    """Keep the answer to a request."""
    await runner.run(KEEP, caller=request.caller, route=request.route, key=request.key, answer=answer)


async def forget(runner: Runner, request: KeyedRequest) -> None:
    """Let a request be made anew."""
    await runner.run(FORGET, caller=request.caller, route=request.route, key=request.key)


async def clear(runner: Runner) -> int:
    """Forget answers and marks that were kept long enough, at most 1,000 of each at once; return how many."""
    return len(await runner.run(CLEAR)) + len(await runner.run(CLEAR_MARKS))


async def secret(runner: Runner) -> bytes:
    """Return the secret that all nodes encrypt answers with."""
    return bytes((await runner.run(SECRET))[0]["key"])
