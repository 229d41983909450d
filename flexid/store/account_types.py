"""Account types; `space_id` is the one Space within reach, `domain` the one whose accounts are, None for all."""

from __future__ import annotations

from flexid.domain.account_types import AccountType
from flexid.store.query import Query, Runner

LIST = Query("list account types", "SELECT id, key FROM account_types WHERE space_id = %(space_id)s ORDER BY id")
FIND = Query(
    "find an account type",
    """
    SELECT id, key FROM account_types
    WHERE id = %(id)s AND (%(space_id)s::bigint IS NULL OR space_id = %(space_id)s)
    """,
)
ADD = Query(
    "add an account type", "INSERT INTO account_types (space_id, key) VALUES (%(space_id)s, %(key)s) RETURNING id, key"
)
CHANGE = Query(
    "change an account type",
    """
    UPDATE account_types SET key = %(key)s, updated_at = now()
    WHERE id = %(id)s AND (%(space_id)s::bigint IS NULL OR space_id = %(space_id)s) RETURNING id, key
    """,
)
DELETE = Query(
    "delete an account type",
    """
    DELETE FROM account_types
    WHERE id = %(id)s AND (%(space_id)s::bigint IS NULL OR space_id = %(space_id)s) RETURNING id
    """,
)
# Within one Space only, whoever asks: a type means something to the applications of that Space.
_PAIR = """
    pair AS (
        SELECT a.id AS account_id, y.id AS type_id
        FROM accounts a JOIN spaces s ON s.domain = a.domain JOIN account_types y ON y.space_id = s.id
        WHERE a.id = %(account_id)s AND y.id = %(type_id)s AND (%(domain)s::text IS NULL OR a.domain = %(domain)s)
    )
"""
ATTACH = Query(
    "attach a type to an account",
    f"""
    WITH {_PAIR}, attached AS (
        INSERT INTO account_account_type (account_id, account_type_id) SELECT account_id, type_id FROM pair
        ON CONFLICT DO NOTHING RETURNING account_id
    )
    SELECT (SELECT count(*) FROM attached) AS attached FROM pair
    """,
)
DETACH = Query(
    "detach a type from an account",
    f"""
    WITH {_PAIR}, detached AS (
        DELETE FROM account_account_type t USING pair
        WHERE t.account_id = pair.account_id AND t.account_type_id = pair.type_id RETURNING t.account_id
    )
    SELECT (SELECT count(*) FROM detached) AS detached FROM pair
    """,
)


async def list_of(runner: Runner, space_id: int) -> list[AccountType]:
    """Return the types of a Space, the oldest first."""
    return [AccountType(**row) for row in await runner.run(LIST, space_id=space_id)]


async def find(runner: Runner, type_id: int, space_id: int | None) -> AccountType | None:
    """Return a type within reach."""
    rows = await runner.run(FIND, id=type_id, space_id=space_id)
    return AccountType(**rows[0]) if rows else None


async def add(runner: Runner, space_id: int, key: str) -> AccountType:
    """Add a type to a Space.

    :raise ConstraintViolated: the key is taken.
    """
    return AccountType(**(await runner.run(ADD, space_id=space_id, key=key))[0])


async def change(runner: Runner, type_id: int, space_id: int | None, key: str) -> AccountType | None:
    """Give a type within reach another key, and return it.

    :raise ConstraintViolated: the key is taken.
    """
    rows = await runner.run(CHANGE, id=type_id, space_id=space_id, key=key)
    return AccountType(**rows[0]) if rows else None


async def delete(runner: Runner, type_id: int, space_id: int | None) -> int:
    """Delete a type within reach; return how many there were."""
    return len(await runner.run(DELETE, id=type_id, space_id=space_id))


async def attach(runner: Runner, account_id: int, domain: str | None, type_id: int) -> bool | None:
    """Attach a type to an account; return whether it was not attached yet, None if there are no such two."""
    rows = await runner.run(ATTACH, account_id=account_id, domain=domain, type_id=type_id)
    return bool(rows[0]["attached"]) if rows else None


async def detach(runner: Runner, account_id: int, domain: str | None, type_id: int) -> bool | None:
    """Detach a type from an account; return whether it was attached, None if there are no such two."""
    rows = await runner.run(DETACH, account_id=account_id, domain=domain, type_id=type_id)
    return bool(rows[0]["detached"]) if rows else None
