"""What accounts sign in to CardDAV servers with; `domain` is the one whose accounts are within reach, None for all."""

from __future__ import annotations

from attrs import frozen

from flexid.domain.carddav import CardDavCredentials
from flexid.store.query import Query, Row, Runner

_REACHED = """
    SELECT a.id AS account_id, s.id AS space_id, s.carddav_user_credentials AS is_on
    FROM accounts a JOIN spaces s ON s.domain = a.domain
    WHERE a.id = %(account_id)s AND (%(domain)s::text IS NULL OR a.domain = %(domain)s)
"""
READ = Query(
    "read CardDAV credentials",
    f"""
    SELECT r.is_on, (
        SELECT json_agg(json_build_array(c.space_carddav_server_id, c.username, c.realm, c.algorithm, c.password)
            ORDER BY c.space_carddav_server_id)
        FROM account_carddav_credentials c WHERE c.account_id = r.account_id
    ) AS credentials
    FROM ({_REACHED}) r
    """,
)
SET = Query(
    "set CardDAV credentials",
    f"""
    WITH r AS ({_REACHED}), kept AS (
        INSERT INTO account_carddav_credentials
            (account_id, space_carddav_server_id, username, password, realm, algorithm)
        SELECT r.account_id, c.id, %(username)s, %(ha1)s, %(realm)s, %(algorithm)s
        FROM r JOIN space_carddav_servers c ON c.space_id = r.space_id WHERE r.is_on AND c.id = %(server_id)s
        ON CONFLICT (account_id, space_carddav_server_id) DO UPDATE SET username = excluded.username,
            password = excluded.password, realm = excluded.realm, algorithm = excluded.algorithm, updated_at = now()
        RETURNING account_id
    )
    SELECT r.is_on, (SELECT count(*) FROM kept) AS touched FROM r
    """,
)
DELETE = Query(
    "delete CardDAV credentials",
    f"""
    WITH r AS ({_REACHED}), gone AS (
        DELETE FROM account_carddav_credentials c USING r
        WHERE c.account_id = r.account_id AND r.is_on AND c.space_carddav_server_id = %(server_id)s
        RETURNING c.account_id
    )
    SELECT r.is_on, (SELECT count(*) FROM gone) AS touched FROM r
    """,
)


@frozen
class Touched:
    """Whether the account's Space has credentials of users on, and how many rows were touched if so."""

    is_on: bool
    rows: int


async def read(
    runner: Runner, account_id: int, domain: str | None
) -> tuple[bool, dict[int, CardDavCredentials]] | None:
    """Return whether the Space has them on, and the credentials by server; None if there is no such account."""
    rows = await runner.run(READ, account_id=account_id, domain=domain)
    if not rows:
        return None
    credentials = rows[0]["credentials"] or ()
    return rows[0]["is_on"], {server_id: CardDavCredentials(*values) for server_id, *values in credentials}


async def save(
    runner: Runner, account_id: int, domain: str | None, server_id: int, credentials: CardDavCredentials
) -> Touched | None:
    """Give an account credentials for a server of its Space, or other ones; None if there is no such account."""
    rows = await runner.run(
        SET,
        account_id=account_id,
        domain=domain,
        server_id=server_id,
        username=credentials.username,
        ha1=credentials.ha1,
        realm=credentials.realm,
        algorithm=credentials.algorithm,
    )
    return _touched(rows)


async def delete(runner: Runner, account_id: int, domain: str | None, server_id: int) -> Touched | None:
    """Delete the credentials of an account for a server; None if there is no such account."""
    return _touched(await runner.run(DELETE, account_id=account_id, domain=domain, server_id=server_id))


def _touched(rows: list[Row]) -> Touched | None:
    return Touched(rows[0]["is_on"], int(rows[0]["touched"])) if rows else None
