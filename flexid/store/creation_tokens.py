"""Account creation tokens."""

from __future__ import annotations

from flexid.domain.account import Origin
from flexid.domain.tokens import CreationToken
from flexid.store.query import Query, Runner

_COLUMNS = "token, pn_provider, pn_param, pn_prid, used, account_id, ip, user_agent, created_at"
_IS_GOOD = """
    token = %(token)s AND domain = %(domain)s AND NOT used
    AND coalesce(created_at >= now() - make_interval(mins => nullif(%(minutes)s::integer, 0)), true)
"""

CREATE = Query(
    "create an account creation token",
    f"""
    INSERT INTO account_creation_tokens (domain, token, ip, user_agent)
    VALUES (%(domain)s, %(token)s, %(ip)s, %(user_agent)s) RETURNING {_COLUMNS}
    """,
)
SPEND = Query(
    "spend an account creation token",
    f"""
    UPDATE account_creation_tokens SET used = true, account_id = %(account_id)s, updated_at = now()
    WHERE {_IS_GOOD} RETURNING {_COLUMNS}
    """,
)
IS_GOOD = Query(
    "whether an account creation token is good", f"SELECT 1 AS found FROM account_creation_tokens WHERE {_IS_GOOD}"
)
LINK = Query(
    "link an account creation token",
    "UPDATE account_creation_tokens SET account_id = %(account_id)s WHERE token = %(token)s",
)
IS_LINKED = Query(
    "whether an account has used a creation token",
    "SELECT 1 AS found FROM account_creation_tokens WHERE account_id = %(account_id)s AND used LIMIT 1",
)


async def create(runner: Runner, domain: str, token: str, origin: Origin) -> CreationToken:
    """Store a new token of a Space."""
    rows = await runner.run(CREATE, domain=domain, token=token, ip=origin.ip, user_agent=origin.user_agent)
    return CreationToken(**rows[0])


async def spend(
    runner: Runner, token: str, domain: str, minutes: int, account_id: int | None = None
) -> CreationToken | None:
    """Use a token of a Space up; None if it is unknown, used, or older than `minutes` (0 = never too old)."""
    rows = await runner.run(SPEND, token=token, domain=domain, minutes=minutes, account_id=account_id)
    return CreationToken(**rows[0]) if rows else None


async def is_good(runner: Runner, token: str, domain: str, minutes: int) -> bool:
    """Say whether a token could be spent."""
    return bool(await runner.run(IS_GOOD, token=token, domain=domain, minutes=minutes))


async def link(runner: Runner, token: str, account_id: int) -> None:
    """Note which account a spent token made."""
    await runner.run(LINK, token=token, account_id=account_id)


async def is_linked(runner: Runner, account_id: int) -> bool:
    """Say whether a token was used up by an account, or to make it."""
    return bool(await runner.run(IS_LINKED, account_id=account_id))
