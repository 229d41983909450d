"""Provisioning tokens: one current token for each account."""

from __future__ import annotations

from attrs import frozen

from flexid.domain.account import Account, Origin
from flexid.store.accounts import COLUMNS, JOINS, from_row
from flexid.store.query import Query, Runner

RENEW = Query(
    "renew a provisioning token",
    """
    INSERT INTO provisioning_tokens (account_id, token, ip, user_agent)
    SELECT id, %(token)s, %(ip)s, %(user_agent)s FROM accounts
    WHERE id = %(account_id)s AND (%(domain)s::text IS NULL OR domain = %(domain)s)
    ON CONFLICT (account_id) WHERE used_at IS NULL DO UPDATE SET token = excluded.token, ip = excluded.ip,
        user_agent = excluded.user_agent, created_at = now()
    RETURNING id
    """,
)
# Found, used up and the account activated in one statement. Of two at once the second waits for the first's row and
# then finds it used or renewed: `used` stays empty.
REDEEM = Query(
    "redeem a provisioning token",
    f"""
    WITH found AS (
        SELECT t.id, t.account_id, b.blocked, coalesce(
            t.created_at < now() - make_interval(mins => nullif(%(minutes)s::integer, 0)), false) AS expired
        FROM provisioning_tokens t JOIN accounts b ON b.id = t.account_id
        WHERE t.token = %(token)s AND t.used_at IS NULL AND b.domain = %(domain)s
    ), used AS (
        UPDATE provisioning_tokens t SET used_at = now() FROM found
        WHERE t.id = found.id AND NOT found.blocked AND NOT found.expired
            AND t.used_at IS NULL AND t.token = %(token)s
        RETURNING t.account_id
    ), activated AS (
        UPDATE accounts b SET activated = true, updated_at = now() FROM used
        WHERE b.id = used.account_id AND NOT b.activated
    )
    SELECT found.blocked AS found_blocked, found.expired AS found_expired, {COLUMNS}
    FROM found LEFT JOIN used USING (account_id) LEFT JOIN accounts a ON a.id = used.account_id {JOINS}
    """,
)
IS_CURRENT = Query(
    "whether a provisioning token is current",
    """
    SELECT 1 AS found FROM provisioning_tokens t JOIN accounts a ON a.id = t.account_id
    WHERE t.token = %(token)s AND t.used_at IS NULL AND a.domain = %(domain)s
    """,
)


@frozen
class Redemption:
    """What came of a token: the account as it was before, or why not."""

    account: Account | None
    blocked: bool = False
    expired: bool = False


async def renew(runner: Runner, account_id: int, domain: str | None, token: str, origin: Origin) -> bool:
    """Give an account of `domain` (None: of any) a new token and void the one before; return whether there is one."""
    rows = await runner.run(
        RENEW, account_id=account_id, domain=domain, token=token, ip=origin.ip, user_agent=origin.user_agent
    )
    return bool(rows)


async def redeem(runner: Runner, token: str, domain: str, minutes: int) -> Redemption:
    """Use a token of a domain up and activate its account; tokens older than `minutes` are expired, 0 = none is."""
    rows = await runner.run(REDEEM, token=token, domain=domain, minutes=minutes)
    if not rows:
        return Redemption(None)
    row = rows[0]
    blocked, expired = row.pop("found_blocked"), row.pop("found_expired")
    if row["id"] is None:
        return Redemption(None, blocked, expired)
    return Redemption(from_row(row))


async def is_current(runner: Runner, token: str, domain: str) -> bool:
    """Say whether a token of a domain could be redeemed."""
    return bool(await runner.run(IS_CURRENT, token=token, domain=domain))
