"""Sign-ins at OpenID servers that browsers have begun."""

from __future__ import annotations

from attrs import asdict

from flexid.domain.oidc_attempt import LAST_MINUTES, Attempt
from flexid.store.query import Query, Runner

KEEP = Query(
    "keep a sign-in that was begun at an OpenID server",
    """
    INSERT INTO oidc_attempts
        (state_hash, browser_hash, domain, issuer, client_id, redirect_uri, wanted, nonce, verifier)
    VALUES (%(state_hash)s, %(browser_hash)s, %(domain)s, %(issuer)s, %(client_id)s, %(redirect_uri)s, %(wanted)s,
        %(nonce)s, %(verifier)s)
    """,
)
TAKE = Query(
    "take a sign-in that was begun at an OpenID server",
    """
    DELETE FROM oidc_attempts
    WHERE state_hash = %(state_hash)s AND browser_hash = %(browser_hash)s AND domain = %(domain)s
        AND created_at >= now() - make_interval(mins => %(minutes)s::integer)
    RETURNING issuer, client_id, redirect_uri, wanted, nonce, verifier
    """,
)
CLEAR = Query(
    "clear sign-ins that were begun at OpenID servers",
    """
    DELETE FROM oidc_attempts WHERE state_hash IN (
        SELECT state_hash FROM oidc_attempts
        WHERE created_at < now() - make_interval(mins => %(minutes)s::integer) LIMIT 10000
    ) RETURNING state_hash
    """,
)


async def keep(runner: Runner, domain: str, state_hash: bytes, browser_hash: bytes, attempt: Attempt) -> None:
    """Keep what a browser has begun on the host of a Space."""
    await runner.run(KEEP, domain=domain, state_hash=state_hash, browser_hash=browser_hash, **asdict(attempt))


async def take(runner: Runner, domain: str, state_hash: bytes, browser_hash: bytes) -> Attempt | None:
    """Return what this browser began on the host of this Space not long ago; nobody gets it a second time."""
    rows = await runner.run(TAKE, domain=domain, state_hash=state_hash, browser_hash=browser_hash, minutes=LAST_MINUTES)
    return Attempt(**rows[0]) if rows else None


async def clear(runner: Runner) -> int:
    """Forget those that are too old, at most 10,000 at once; return how many."""
    return len(await runner.run(CLEAR, minutes=LAST_MINUTES))
