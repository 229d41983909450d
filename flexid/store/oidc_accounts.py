"""Accounts that OpenID servers name by an email address."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from flexid.store.query import Query, Runner

# Of two first sign-ins of one person at once, the second finds what the first has made, also where a Space lets several
# accounts share an address.
LOCK = Query(
    "sign in at an OpenID server one after the other",
    "SELECT pg_advisory_xact_lock(hashtextextended(%(domain)s || ' ' || lower(%(email)s), 0))",
)
# The second one tells that nobody is meant.
FIND = Query(
    "find the account that an OpenID server names",
    """
    SELECT a.id, a.blocked, a.activated, a.admin AND s.super AS super_admin
    FROM accounts a JOIN spaces s ON s.domain = a.domain
    WHERE lower(a.email) = lower(%(email)s) AND a.domain = %(domain)s LIMIT 2
    """,
)
FREE_NAME = Query(
    "first free username",
    """
    SELECT c.name FROM unnest(%(names)s::text[]) WITH ORDINALITY AS c (name, place)
    WHERE NOT EXISTS (SELECT FROM account_names n WHERE n.domain = %(domain)s AND n.name = c.name)
    ORDER BY c.place LIMIT 1
    """,
)
DEACTIVATE = Query(
    "deactivate an account whose role is gone",
    """
    WITH gone AS (
        UPDATE accounts SET activated = false, updated_at = now() WHERE id = %(id)s AND activated RETURNING id
    ), noted AS (
        INSERT INTO oidc_deactivations (account_id) SELECT id FROM gone
    )
    DELETE FROM sessions WHERE account_id = %(id)s AND id_token IS NOT NULL
    """,
)
REACTIVATE = Query(
    "activate an account whose role is back",
    """
    UPDATE accounts SET activated = true, updated_at = now()
    WHERE id = %(id)s AND NOT activated AND EXISTS (SELECT FROM oidc_deactivations WHERE account_id = %(id)s)
    """,
)


@frozen
class Named:
    """An account, as far as it matters whether its owner may sign in."""

    id: int
    blocked: bool
    activated: bool
    super_admin: bool


async def lock(runner: Runner, domain: str, email: str) -> None:
    """Let nobody else look for this email address in a domain until the transaction ends."""
    await runner.run(LOCK, domain=domain, email=email)


async def find(runner: Runner, domain: str, email: str) -> list[Named]:
    """Return the accounts of a domain that have an email address, two at most."""
    return [Named(**row) for row in await runner.run(FIND, domain=domain, email=email)]


async def free_name(runner: Runner, domain: str, names: Sequence[str]) -> str | None:
    """Return the first of these names that nobody in a domain has or had; None if there is none."""
    rows = await runner.run(FREE_NAME, domain=domain, names=[*names])
    return rows[0]["name"] if rows else None


async def deactivate(runner: Runner, account_id: int) -> None:
    """Deactivate an account, and end its sessions that began at an OpenID server."""
    await runner.run(DEACTIVATE, id=account_id)


async def reactivate(runner: Runner, account_id: int) -> None:
    """Activate an account, if it was deactivated in this way and not by an administrator."""
    await runner.run(REACTIVATE, id=account_id)
