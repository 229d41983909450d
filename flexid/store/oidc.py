"""OpenID Connect configurations of Spaces."""

from __future__ import annotations

from typing import Any

from attrs import asdict

from flexid.domain.oidc import OidcClient, OidcConfiguration
from flexid.store.query import Query, Runner

SHOWN = """json_build_object('server_url', o.server_url, 'realm', o.realm, 'sip_identifier', o.sip_identifier,
            'client_id', o.client_id, 'role_provisioning', o.role_provisioning,
            'auto_provisioning', o.auto_provisioning, 'public_key', o.public_key)"""
"""What is shown of a configuration whose row stands under the name `o`: everything but the client's secret."""

SET = Query(
    "set the OpenID configuration of a Space",
    f"""
    INSERT INTO space_oidc_authentication_configurations AS o (space_id, server_url, realm, sip_identifier, client_id,
        client_secret, public_key, role_provisioning, auto_provisioning)
    SELECT id, %(server_url)s, %(realm)s, %(sip_identifier)s, %(client_id)s, %(client_secret)s, %(public_key)s,
        %(role_provisioning)s, %(auto_provisioning)s
    FROM spaces WHERE domain = %(domain)s
    ON CONFLICT (space_id) DO UPDATE SET server_url = excluded.server_url, realm = excluded.realm,
        sip_identifier = excluded.sip_identifier, client_id = excluded.client_id,
        client_secret = excluded.client_secret, public_key = excluded.public_key,
        role_provisioning = excluded.role_provisioning, auto_provisioning = excluded.auto_provisioning,
        updated_at = now()
    RETURNING {SHOWN} AS configuration
    """,
)
DELETE = Query(
    "delete the OpenID configuration of a Space",
    """
    DELETE FROM space_oidc_authentication_configurations o USING spaces s
    WHERE s.id = o.space_id AND s.domain = %(domain)s RETURNING o.space_id
    """,
)
CLIENT = Query(
    "client of a Space at its OpenID server",
    """
    SELECT o.server_url || 'realms/' || o.realm AS issuer, o.client_id, o.client_secret
    FROM space_oidc_authentication_configurations o JOIN spaces s ON s.id = o.space_id
    WHERE s.domain = %(domain)s AND o.client_id IS NOT NULL
    """,
)

TELL_REFRESHED = Query(
    "let every process ask an OpenID server anew", "SELECT pg_notify('flexid_openid_servers', %(domain)s)"
)


async def client(runner: Runner, domain: str) -> OidcClient | None:
    """Return what a Space is at its OpenID server, with the secret; None if it is no client of one."""
    rows = await runner.run(CLIENT, domain=domain)
    return OidcClient(**rows[0]) if rows else None


async def tell_refreshed(runner: Runner, domain: str) -> None:
    """Let every process forget what it knows of the OpenID server of a Space."""
    await runner.run(TELL_REFRESHED, domain=domain)


async def save(runner: Runner, domain: str, configuration: OidcConfiguration) -> dict[str, Any] | None:
    """Give a Space its configuration, or another one, and return what is shown of it; None without such a Space."""
    rows = await runner.run(SET, domain=domain, **asdict(configuration))
    return rows[0]["configuration"] if rows else None


async def delete(runner: Runner, domain: str) -> int:
    """Take the configuration away from a Space; return how many there were."""
    return len(await runner.run(DELETE, domain=domain))
