"""Logos of Spaces."""

from __future__ import annotations

from flexid.domain.logos import Logo
from flexid.store.query import Query, Runner

FIND = Query(
    "find a logo",
    "SELECT name, content_type, content FROM space_logos WHERE space_id = %(space_id)s AND name = %(name)s",
)
SET = Query(
    "set the logo of a Space",
    """
    INSERT INTO space_logos (space_id, name, content_type, content)
    VALUES (%(space_id)s, %(name)s, %(content_type)s, %(content)s)
    ON CONFLICT (space_id) DO UPDATE SET name = excluded.name, content_type = excluded.content_type,
        content = excluded.content, created_at = now()
    """,
    prepare=False,
)
DROP = Query("drop the logo of a Space", "DELETE FROM space_logos WHERE space_id = %(space_id)s")


async def find(runner: Runner, space_id: int, name: str) -> Logo | None:
    """Return the logo of a Space, if it still is the one of that name."""
    rows = await runner.run(FIND, space_id=space_id, name=name)
    return Logo(**rows[0]) if rows else None


async def replace(runner: Runner, space_id: int, logo: Logo | None) -> None:
    """Give a Space another logo, or none; its column `logo` is the caller's to change."""
    if logo is None:
        await runner.run(DROP, space_id=space_id)
    else:
        await runner.run(SET, space_id=space_id, name=logo.name, content_type=logo.content_type, content=logo.content)
