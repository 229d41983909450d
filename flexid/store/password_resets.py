"""Tokens of mails that lead to a new password."""

from __future__ import annotations

from attrs import frozen

from flexid.domain.account import Origin
from flexid.store.query import Query, Runner

# A mail voids those before it, so that of several only the latest opens the account.
CREATE = Query(
    "create a token to reset a password",
    """
    WITH replaced AS (
        UPDATE reset_password_email_tokens SET used = true, updated_at = now()
        WHERE account_id = %(account_id)s AND NOT used RETURNING id
    )
    INSERT INTO reset_password_email_tokens (account_id, token, email, ip, user_agent)
    VALUES (%(account_id)s, %(token)s, %(email)s, %(ip)s, %(user_agent)s)
    """,
)
_YOUNG = "coalesce(r.created_at >= now() - make_interval(mins => nullif(%(minutes)s::integer, 0)), true)"
# An address that the account no longer has may be somebody else's by now: nothing is reset by what was sent there.
_FOUND = """
    r.token = %(token)s AND a.id = r.account_id AND a.domain = %(domain)s AND a.email = r.email
"""
FIND = Query(
    "find a token to reset a password",
    f"""
    SELECT a.username, NOT r.used AND {_YOUNG} AS is_good FROM reset_password_email_tokens r, accounts a WHERE {_FOUND}
    """,
)
SPEND = Query(
    "spend a token to reset a password",
    f"""
    UPDATE reset_password_email_tokens r SET used = true, updated_at = now()
    FROM accounts a WHERE {_FOUND} AND NOT r.used AND {_YOUNG} RETURNING a.id
    """,
)


@frozen
class FoundReset:
    """Whose password a token resets, and whether it still does."""

    username: str
    is_good: bool


async def create(runner: Runner, account_id: int, token: str, email: str, origin: Origin) -> None:
    """Keep a token that is mailed to an address; those before are void."""
    await runner.run(
        CREATE, account_id=account_id, token=token, email=email, ip=origin.ip, user_agent=origin.user_agent
    )


async def find(runner: Runner, token: str, domain: str, minutes: int) -> FoundReset | None:
    """Return what a token of a domain is good for; one older than `minutes` for nothing, 0 = none is too old."""
    rows = await runner.run(FIND, token=token, domain=domain, minutes=minutes)
    return FoundReset(**rows[0]) if rows else None


async def spend(runner: Runner, token: str, domain: str, minutes: int) -> int | None:
    """Use a token up and return its account's id; None if it is unknown, used or too old."""
    rows = await runner.run(SPEND, token=token, domain=domain, minutes=minutes)
    return rows[0]["id"] if rows else None
