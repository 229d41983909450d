"""External accounts of accounts; `domain` is the one whose accounts are within reach, None for all."""

from __future__ import annotations

from attrs import asdict

from flexid.domain.external_account import ExternalAccount, ExternalSettings
from flexid.domain.passwords import StoredPassword
from flexid.store.query import Query, Row, Runner

_COLUMNS = """
    x.id, x.account_id, x.username, x.domain, x.realm, x.registrar, x.outbound_proxy, x.protocol, x.algorithm,
    x.created_at, x.updated_at
"""
FIND = Query(
    "find an external account",
    f"""
    SELECT {_COLUMNS} FROM external_accounts x JOIN accounts a ON a.id = x.account_id
    WHERE x.account_id = %(account_id)s AND (%(reach)s::text IS NULL OR a.domain = %(reach)s)
    """,
)
# A new row has to bring a hash; that of an old one stays where there is no other.
SET = Query(
    "set an external account",
    f"""
    INSERT INTO external_accounts AS x
        (account_id, username, domain, realm, registrar, outbound_proxy, protocol, algorithm, password)
    VALUES (%(account_id)s, %(username)s, %(domain)s, %(realm)s, %(registrar)s, %(outbound_proxy)s, %(protocol)s,
        %(algorithm)s, coalesce(%(ha1)s::text, ''))
    ON CONFLICT (account_id) DO UPDATE SET username = excluded.username, domain = excluded.domain,
        realm = excluded.realm, registrar = excluded.registrar, outbound_proxy = excluded.outbound_proxy,
        protocol = excluded.protocol, algorithm = excluded.algorithm,
        password = coalesce(%(ha1)s::text, x.password), updated_at = now()
    RETURNING {_COLUMNS}, xmax = 0 AS is_new
    """,
)
DELETE = Query(
    "delete an external account",
    """
    WITH reached AS (
        SELECT id FROM accounts WHERE id = %(account_id)s AND (%(reach)s::text IS NULL OR domain = %(reach)s)
    ), gone AS (
        DELETE FROM external_accounts x USING reached r WHERE x.account_id = r.id RETURNING x.id
    )
    SELECT (SELECT count(*) FROM gone) AS deleted FROM reached
    """,
)
IDENTIFY = Query(
    "identify an external account",
    "SELECT id FROM external_accounts WHERE username = %(username)s AND domain = %(domain)s",
)
TAKEN = Query(
    "whether an external account is taken",
    """
    SELECT 1 AS found FROM external_accounts
    WHERE username = %(username)s AND domain = %(domain)s AND account_id <> %(but)s
    """,
)


def from_row(row: Row) -> ExternalAccount:
    """Return the external account that a row describes."""
    return ExternalAccount(**row)


async def find(runner: Runner, account_id: int, reach: str | None) -> ExternalAccount | None:
    """Return the external account of an account."""
    rows = await runner.run(FIND, account_id=account_id, reach=reach)
    return from_row(rows[0]) if rows else None


async def save(
    runner: Runner, account_id: int, settings: ExternalSettings, password: StoredPassword | None, algorithm: str
) -> tuple[ExternalAccount, bool]:
    """Give an account its external account, or another one; return it, and whether it is new.

    Without a password the stored one stays; a new one must come with it.

    :raise ConstraintViolated: another account has that external account.
    """
    rows = await runner.run(
        SET, account_id=account_id, ha1=password and password.ha1, algorithm=algorithm, **asdict(settings)
    )
    is_new = rows[0].pop("is_new")
    return from_row(rows[0]), is_new


async def delete(runner: Runner, account_id: int, reach: str | None) -> int | None:
    """Delete the external account; return how many there were, None if there is no such account."""
    rows = await runner.run(DELETE, account_id=account_id, reach=reach)
    return int(rows[0]["deleted"]) if rows else None


async def is_taken(runner: Runner, username: str, domain: str, but: int) -> bool:
    """Say whether an account other than `but` has that external account."""
    return bool(await runner.run(TAKEN, username=username, domain=domain, but=but))


async def identify(runner: Runner, username: str, domain: str) -> int | None:
    """Return the id of the external account that has this address now."""
    rows = await runner.run(IDENTIFY, username=username, domain=domain)
    return rows[0]["id"] if rows else None
