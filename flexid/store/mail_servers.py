"""Mail servers of Spaces."""

from __future__ import annotations

from typing import Any

from attrs import asdict

from flexid.domain.mail_server import MailServer
from flexid.store.query import ISO_TIME, Query, Runner

SHOWN = f"""json_build_object('id', e.id, 'host', e.host, 'port', e.port, 'username', e.username,
            'from_address', e.from_address, 'from_name', e.from_name, 'signature', e.signature,
            'created_at', to_char(e.created_at, {ISO_TIME}), 'updated_at', to_char(e.updated_at, {ISO_TIME}))"""
"""What is shown of a server whose row stands under the name `e`: everything but its password."""

SET = Query(
    "set the mail server of a Space",
    f"""
    INSERT INTO space_email_servers AS e
        (space_id, host, port, username, password, from_address, from_name, signature)
    SELECT id, %(host)s, %(port)s, %(username)s, %(password)s, %(from_address)s, %(from_name)s, %(signature)s
    FROM spaces WHERE domain = %(domain)s
    ON CONFLICT (space_id) DO UPDATE SET host = excluded.host, port = excluded.port, username = excluded.username,
        password = excluded.password, from_address = excluded.from_address, from_name = excluded.from_name,
        signature = excluded.signature, updated_at = now()
    RETURNING {SHOWN} AS server, xmax = 0 AS is_new
    """,
)
FIND = Query(
    "find the mail server of a Space",
    """
    SELECT e.host, e.port, e.username, e.password, e.from_address, e.from_name, e.signature
    FROM space_email_servers e JOIN spaces s ON s.id = e.space_id WHERE s.domain = %(domain)s
    """,
)
DELETE = Query(
    "delete the mail server of a Space",
    """
    DELETE FROM space_email_servers e USING spaces s WHERE s.id = e.space_id AND s.domain = %(domain)s RETURNING e.id
    """,
)


async def save(runner: Runner, domain: str, server: MailServer) -> tuple[dict[str, Any], bool] | None:
    """Give a Space its mail server, or another one; return it, and whether it is new. None without such a Space."""
    rows = await runner.run(SET, domain=domain, **asdict(server))
    return (rows[0]["server"], rows[0]["is_new"]) if rows else None


async def find(runner: Runner, domain: str) -> MailServer | None:
    """Return the mail server of a Space with its password, for whoever hands mails in there."""
    rows = await runner.run(FIND, domain=domain)
    return MailServer(**rows[0]) if rows else None


async def delete(runner: Runner, domain: str) -> int:
    """Take the mail server away from a Space; return how many there were."""
    return len(await runner.run(DELETE, domain=domain))
