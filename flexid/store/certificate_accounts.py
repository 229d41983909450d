"""The account that a client's certificate names."""

from __future__ import annotations

from flexid.domain.account import Actor
from flexid.store.accounts import COLUMNS, JOINS, from_row
from flexid.store.query import Query, Runner

# The whole account: what a device with a certificate wants next is its document.
FIND = Query(
    "find an account by its certificate",
    f"""
    SELECT {COLUMNS}, s.super AS super_space FROM accounts a JOIN spaces s ON s.domain = a.domain {JOINS}
    WHERE a.username = %(username)s AND a.domain = %(domain)s
    """,
)


async def find(runner: Runner, username: str, domain: str) -> Actor | None:
    """Return the account of a SIP address as it acts, with all that belongs to it."""
    rows = await runner.run(FIND, username=username, domain=domain)
    if not rows:
        return None
    super_space = rows[0].pop("super_space")
    account = from_row(rows[0])
    return Actor(
        account.id,
        account.username,
        account.domain,
        admin=account.admin,
        blocked=account.blocked,
        super_space=super_space,
        account=account,
    )
