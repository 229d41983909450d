"""Auth tokens: one device shows it, a signed-in one attaches its account, the first collects the fruit."""

from __future__ import annotations

from flexid.domain.account import Origin
from flexid.domain.tokens import AuthToken
from flexid.store.query import Query, Runner

_YOUNG = "coalesce(created_at >= now() - make_interval(mins => nullif(%(minutes)s::integer, 0)), true)"

CREATE = Query(
    "create an auth token",
    """
    INSERT INTO auth_tokens (domain, token, ip, user_agent) VALUES (%(domain)s, %(token)s, %(ip)s, %(user_agent)s)
    RETURNING id, token, account_id, ip, user_agent, created_at, updated_at
    """,
)
ATTACH = Query(
    "attach an account to an auth token",
    f"""
    UPDATE auth_tokens SET account_id = %(account_id)s, updated_at = now()
    WHERE token = %(token)s AND domain = %(domain)s AND account_id IS NULL AND {_YOUNG} RETURNING id
    """,
)
REDEEM = Query(
    "redeem an auth token",
    f"""
    DELETE FROM auth_tokens
    WHERE token = %(token)s AND domain = %(domain)s AND account_id IS NOT NULL AND {_YOUNG} RETURNING account_id
    """,
)
CREATE_ATTACHED = Query(
    "create an attached auth token",
    """
    INSERT INTO auth_tokens (domain, token, account_id, ip, user_agent)
    VALUES (%(domain)s, %(token)s, %(account_id)s, %(ip)s, %(user_agent)s)
    """,
)
FIND = Query(
    "find an auth token",
    f"""
    SELECT id, token, account_id, ip, user_agent, created_at, updated_at FROM auth_tokens
    WHERE token = %(token)s AND domain = %(domain)s AND {_YOUNG}
    """,
)
IS_ATTACHED = Query(
    "whether an auth token is attached",
    f"""
    SELECT 1 AS found FROM auth_tokens
    WHERE token = %(token)s AND domain = %(domain)s AND account_id IS NOT NULL AND {_YOUNG}
    """,
)
CLEAR = Query(
    "clear auth tokens",
    """
    DELETE FROM auth_tokens WHERE id IN (
        SELECT id FROM auth_tokens WHERE created_at < now() - make_interval(mins => %(minutes)s::integer) LIMIT 10000
    ) RETURNING id
    """,
)


async def create(runner: Runner, domain: str, token: str, origin: Origin) -> AuthToken:
    """Store a new token of a Space."""
    rows = await runner.run(CREATE, domain=domain, token=token, ip=origin.ip, user_agent=origin.user_agent)
    return AuthToken(**rows[0])


async def create_attached(runner: Runner, domain: str, token: str, account_id: int, origin: Origin) -> None:
    """Store a new token of a Space that an account is attached to."""
    await runner.run(
        CREATE_ATTACHED, domain=domain, token=token, account_id=account_id, ip=origin.ip, user_agent=origin.user_agent
    )


async def find(runner: Runner, token: str, domain: str, minutes: int) -> AuthToken | None:
    """Return a token not older than `minutes`."""
    rows = await runner.run(FIND, token=token, domain=domain, minutes=minutes)
    return AuthToken(**rows[0]) if rows else None


async def attach(runner: Runner, token: str, domain: str, account_id: int, minutes: int) -> bool:
    """Attach an account; return whether the token was there, free, and not older than `minutes`."""
    return bool(await runner.run(ATTACH, token=token, domain=domain, account_id=account_id, minutes=minutes))


async def redeem(runner: Runner, token: str, domain: str, minutes: int) -> int | None:
    """Take the token away and return the account's id; None if there is no such token with an account."""
    rows = await runner.run(REDEEM, token=token, domain=domain, minutes=minutes)
    return rows[0]["account_id"] if rows else None


async def is_attached(runner: Runner, token: str, domain: str, minutes: int) -> bool:
    """Say whether a token could be redeemed."""
    return bool(await runner.run(IS_ATTACHED, token=token, domain=domain, minutes=minutes))


async def clear(runner: Runner, minutes: int) -> int:
    """Forget tokens older than `minutes`, at most 10,000 at once; return how many."""
    return len(await runner.run(CLEAR, minutes=minutes))
