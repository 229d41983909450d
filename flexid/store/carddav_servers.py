"""CardDAV servers of Spaces."""

from __future__ import annotations

from typing import Any

from attrs import asdict

from flexid.domain.carddav import CardDavSettings
from flexid.store.query import ISO_TIME, Query, Row, Runner


def as_json(table: str) -> str:
    """Return the expression that shows a server, whose row stands under this name."""
    return f"""json_build_object('id', {table}.id, 'enabled', {table}.enabled, 'uri', {table}.uri,
        'min_characters', {table}.min_characters, 'results_limit', {table}.results_limit,
        'timeout', {table}.timeout, 'delay', {table}.delay,
        'fields_for_user_input', {table}.fields_for_user_input, 'fields_for_domain', {table}.fields_for_domain,
        'use_exact_match_policy', {table}.use_exact_match_policy,
        'created_at', to_char({table}.created_at, {ISO_TIME}), 'updated_at', to_char({table}.updated_at, {ISO_TIME}))"""


CREATE = Query(
    "create a CardDAV server",
    f"""
    INSERT INTO space_carddav_servers AS c (space_id, uri, enabled, min_characters, results_limit, timeout, delay,
        use_exact_match_policy, fields_for_user_input, fields_for_domain)
    SELECT id, %(uri)s, %(enabled)s, %(min_characters)s, %(results_limit)s, %(timeout)s, %(delay)s,
        %(use_exact_match_policy)s, %(fields_for_user_input)s, %(fields_for_domain)s
    FROM spaces WHERE domain = %(domain)s
    RETURNING {as_json("c")} AS server
    """,
)
CHANGE = Query(
    "change a CardDAV server",
    f"""
    UPDATE space_carddav_servers c SET uri = %(uri)s, enabled = %(enabled)s, min_characters = %(min_characters)s,
        results_limit = %(results_limit)s, timeout = %(timeout)s, delay = %(delay)s,
        use_exact_match_policy = %(use_exact_match_policy)s, fields_for_user_input = %(fields_for_user_input)s,
        fields_for_domain = %(fields_for_domain)s, updated_at = now()
    FROM spaces s WHERE s.id = c.space_id AND s.domain = %(domain)s AND c.id = %(id)s
    RETURNING {as_json("c")} AS server
    """,
)
DELETE = Query(
    "delete a CardDAV server",
    """
    DELETE FROM space_carddav_servers c USING spaces s
    WHERE s.id = c.space_id AND s.domain = %(domain)s AND c.id = %(id)s RETURNING c.id
    """,
)


async def create(runner: Runner, domain: str, settings: CardDavSettings) -> dict[str, Any] | None:
    """Give a Space one more server and return it; None if there is no such Space."""
    return _server(await runner.run(CREATE, domain=domain, **asdict(settings)))


async def change(runner: Runner, domain: str, server_id: int, settings: CardDavSettings) -> dict[str, Any] | None:
    """Change a server of a Space and return it; None if there is no such server."""
    return _server(await runner.run(CHANGE, domain=domain, id=server_id, **asdict(settings)))


async def delete(runner: Runner, domain: str, server_id: int) -> int:
    """Delete a server of a Space with what accounts sign in there with; return how many there were."""
    return len(await runner.run(DELETE, domain=domain, id=server_id))


def _server(rows: list[Row]) -> dict[str, Any] | None:
    return rows[0]["server"] if rows else None
