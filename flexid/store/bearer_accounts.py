"""The account that a bearer token names."""

from __future__ import annotations

from flexid.domain.account import Actor
from flexid.domain.sip_address import SipAddress
from flexid.store.query import Query, Runner

_ACTOR = """
    SELECT a.id AS account_id, a.username, a.domain, a.admin, a.blocked, s.super AS super_space
    FROM accounts a JOIN spaces s ON s.domain = a.domain
"""
FIND_BY_ADDRESS = Query(
    "find the account of a bearer token by address",
    f"{_ACTOR} WHERE a.username = %(username)s AND a.domain = %(domain)s",
)
# The second one tells that nobody is meant.
FIND_BY_EMAIL = Query(
    "find the account of a bearer token by email",
    f"{_ACTOR} WHERE lower(a.email) = lower(%(email)s) AND a.domain = %(domain)s LIMIT 2",
)


async def find_by_address(runner: Runner, address: SipAddress) -> Actor | None:
    """Return the account of a SIP address as it acts."""
    rows = await runner.run(FIND_BY_ADDRESS, username=address.username, domain=address.domain)
    return Actor(**rows[0]) if rows else None


async def find_by_email(runner: Runner, email: str, domain: str) -> Actor | None:
    """Return the one account of a domain that has an email address; None if there is none, or more than one."""
    rows = await runner.run(FIND_BY_EMAIL, email=email, domain=domain)
    return Actor(**rows[0]) if len(rows) == 1 else None
