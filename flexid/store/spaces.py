"""Spaces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flexid.domain.space import DigestConfiguration, Space
from flexid.store import carddav_servers as carddav
from flexid.store import mail_servers, oidc
from flexid.store.query import Query, Row, Runner

WRITABLE = (
    "domain", "host", "name", "super", "web_panel", "public_registration", "phone_registration", "intercom_features",
    "unique_email", "carddav_user_credentials", "client_certificate_authentication",
    "custom_provisioning_overwrite_all", "custom_provisioning_entries", "assistant_disable_qr_code",
    "assistant_hide_create_account", "assistant_hide_third_party_account", "disable_broadcast_feature",
    "disable_call_recordings_feature", "disable_chat_feature", "disable_meetings_feature", "hide_account_settings",
    "hide_settings", "only_display_sip_uri_username", "max_account", "max_accounts", "expire_at",
    "account_proxy_registrar_address", "copyright_text", "intro_registration_text", "newsletter_registration_address",
    "theme_hue", "logo",
)  # fmt: skip
"""The columns that callers may name; anything else never reaches a statement."""

SELECT = f"""
    SELECT s.id, {", ".join(f"s.{column}" for column in WRITABLE)}, s.created_at, s.updated_at,
        (SELECT json_build_array(d.realm, d.default_password_algorithm)
         FROM space_digest_authentication_configurations d WHERE d.space_id = s.id) AS digest,
        (SELECT {mail_servers.SHOWN}
         FROM space_email_servers e WHERE e.space_id = s.id) AS email_server,
        (SELECT json_agg({carddav.as_json("c")} ORDER BY c.id)
         FROM space_carddav_servers c WHERE c.space_id = s.id) AS carddav_servers,
        (SELECT {oidc.SHOWN}
         FROM space_oidc_authentication_configurations o WHERE o.space_id = s.id) AS oidc
    FROM spaces s
"""

ALL = Query("list Spaces", f"{SELECT} ORDER BY s.id")
FIRST = Query("find the first Space", f"{SELECT} ORDER BY s.id LIMIT 1")
FIND = Query("find a Space", f"{SELECT} WHERE s.domain = %(domain)s")
FIND_BY_HOST = Query("find a Space by host", f"{SELECT} WHERE s.host = %(host)s")
LOCK = Query("lock a Space", f"{SELECT} WHERE s.domain = %(domain)s FOR NO KEY UPDATE OF s")
LOCK_SUPER = Query("lock the super Spaces", "SELECT domain FROM spaces WHERE super ORDER BY id FOR NO KEY UPDATE")
DELETE = Query("delete a Space", "DELETE FROM spaces WHERE domain = %(domain)s RETURNING id")
TAKEN = Query(
    "which names of a Space are taken",
    """
    SELECT
        EXISTS (SELECT FROM spaces WHERE domain = %(domain)s AND id IS DISTINCT FROM %(but)s) AS domain,
        EXISTS (SELECT FROM spaces WHERE host = %(host)s AND id IS DISTINCT FROM %(but)s) AS host,
        EXISTS (SELECT FROM spaces WHERE name = %(name)s AND id IS DISTINCT FROM %(but)s) AS name
    """,
)
SET_DIGEST = Query(
    "set the digest configuration of a Space",
    """
    INSERT INTO space_digest_authentication_configurations (space_id, realm, default_password_algorithm)
    VALUES (%(space_id)s, %(realm)s, %(algorithm)s)
    ON CONFLICT (space_id) DO UPDATE SET realm = excluded.realm,
        default_password_algorithm = excluded.default_password_algorithm, updated_at = now()
    """,
)
DROP_DIGEST = Query(
    "drop the digest configuration of a Space",
    "DELETE FROM space_digest_authentication_configurations WHERE space_id = %(space_id)s RETURNING space_id",
)
HAS_PASSWORDS = Query(
    "whether a Space has passwords",
    """
    SELECT 1 AS found FROM passwords p JOIN accounts a ON a.id = p.account_id WHERE a.domain = %(domain)s LIMIT 1
    """,
)
DROP_PASSWORDS = Query(
    "drop the passwords of a Space",
    "DELETE FROM passwords p USING accounts a WHERE a.id = p.account_id AND a.domain = %(domain)s",
)


def from_row(row: Row) -> Space:
    """Return the Space that a row of `SELECT` describes."""
    digest = row.pop("digest")
    carddav_servers = tuple(row.pop("carddav_servers") or ())
    return Space(digest=DigestConfiguration(*digest) if digest else None, carddav_servers=carddav_servers, **row)


async def every(runner: Runner) -> list[Space]:
    """Return all Spaces, the oldest first."""
    return [from_row(row) for row in await runner.run(ALL)]


async def first(runner: Runner) -> Space | None:
    """Return the oldest Space."""
    return _one(await runner.run(FIRST))


async def find(runner: Runner, domain: str) -> Space | None:
    """Return the Space of a SIP domain."""
    return _one(await runner.run(FIND, domain=domain))


async def find_by_host(runner: Runner, host: str) -> Space | None:
    """Return the Space that is served under a host."""
    return _one(await runner.run(FIND_BY_HOST, host=host))


async def lock(runner: Runner, domain: str) -> Space | None:
    """Return a Space, and let nobody else change it until the transaction ends."""
    return _one(await runner.run(LOCK, domain=domain))


async def lock_super(runner: Runner) -> set[str]:
    """Return the domains of the super Spaces; none of them ceases to be one until the transaction ends."""
    return {row["domain"] for row in await runner.run(LOCK_SUPER)}


async def create(runner: Runner, values: Mapping[str, Any]) -> None:
    """Create a Space from some of the `WRITABLE` columns; the others take their defaults.

    :raise ConstraintViolated: domain, host or name is taken.
    """
    columns = _columns(values)
    places = ", ".join(f"%({column})s" for column in columns)
    query = Query("create a Space", f"INSERT INTO spaces ({', '.join(columns)}) VALUES ({places})", prepare=False)
    await runner.run(query, **{column: values[column] for column in columns})


async def change(runner: Runner, domain: str, values: Mapping[str, Any]) -> None:
    """Change some of the `WRITABLE` columns.

    :raise ConstraintViolated: host or name is taken, the limit is below today's count, or two accounts share an email.
    """
    columns = _columns(values)
    changes = ", ".join(f"{column} = %({column})s" for column in columns)
    query = Query(
        "change a Space", f"UPDATE spaces SET {changes}, updated_at = now() WHERE domain = %(of)s", prepare=False
    )
    await runner.run(query, of=domain, **{column: values[column] for column in columns})


async def delete(runner: Runner, domain: str) -> int:
    """Delete a Space and all that belongs to it; return how many there were."""
    return len(await runner.run(DELETE, domain=domain))


async def taken(runner: Runner, *, domain: str | None, host: str | None, name: str | None, but: int | None) -> set[str]:
    """Return which of these names another Space has; `but` is the id of the one that may have them."""
    rows = await runner.run(TAKEN, domain=domain, host=host, name=name, but=but)
    return {field for field, is_taken in rows[0].items() if is_taken}


async def set_digest(runner: Runner, space_id: int, digest: DigestConfiguration) -> None:
    """Give a Space its digest configuration, or another one."""
    await runner.run(SET_DIGEST, space_id=space_id, realm=digest.realm, algorithm=digest.default_password_algorithm)


async def drop_digest(runner: Runner, space_id: int) -> int:
    """Take the digest configuration away; return how many there were."""
    return len(await runner.run(DROP_DIGEST, space_id=space_id))


async def has_passwords(runner: Runner, domain: str) -> bool:
    """Say whether any account of a domain has a password."""
    return bool(await runner.run(HAS_PASSWORDS, domain=domain))


async def drop_passwords(runner: Runner, domain: str) -> None:
    """Delete the passwords of all accounts of a domain."""
    await runner.run(DROP_PASSWORDS, domain=domain)


def _columns(values: Mapping[str, Any]) -> list[str]:
    return [column for column in WRITABLE if column in values]


def _one(rows: list[Row]) -> Space | None:
    return from_row(rows[0]) if rows else None
