"""Contacts lists; `space_id` is the one Space within reach, `domain` the one whose accounts are, None for all."""

from __future__ import annotations

from flexid.domain.contacts import ContactsList
from flexid.store.query import Query, Runner

_COLUMNS = """
    l.id, l.space_id, l.title, l.description, l.created_at, l.updated_at,
    (SELECT count(*) FROM contacts_list_contact m WHERE m.contacts_list_id = l.id) AS contacts_count
"""
_REACHED = "l.id = %(list_id)s AND (%(space_id)s::bigint IS NULL OR l.space_id = %(space_id)s)"

LIST = Query(
    "list contacts lists", f"SELECT {_COLUMNS} FROM contacts_lists l WHERE l.space_id = %(space_id)s ORDER BY l.id"
)
FIND = Query("find a contacts list", f"SELECT {_COLUMNS} FROM contacts_lists l WHERE {_REACHED}")
ADD = Query(
    "add a contacts list",
    f"""
    WITH l AS (
        INSERT INTO contacts_lists (space_id, title, description)
        VALUES (%(space_id)s, %(title)s, %(description)s) RETURNING *
    )
    SELECT {_COLUMNS} FROM l
    """,
)
CHANGE = Query(
    "change a contacts list",
    f"""
    WITH l AS (
        UPDATE contacts_lists l SET title = %(title)s, description = %(description)s, updated_at = now()
        WHERE {_REACHED} RETURNING *
    )
    SELECT {_COLUMNS} FROM l
    """,
)
DELETE = Query("delete a contacts list", f"DELETE FROM contacts_lists l WHERE {_REACHED} RETURNING l.id")
_PAIR = f"""
    pair AS (
        SELECT l.id AS list_id, a.id AS account_id FROM contacts_lists l, accounts a
        WHERE {_REACHED} AND a.id = %(account_id)s AND (%(domain)s::text IS NULL OR a.domain = %(domain)s)
    )
"""
ADD_MEMBER = Query(
    "add a member to a contacts list",
    f"""
    WITH {_PAIR}, added AS (
        INSERT INTO contacts_list_contact (contacts_list_id, contact_id) SELECT list_id, account_id FROM pair
        ON CONFLICT DO NOTHING RETURNING contact_id
    )
    SELECT (SELECT count(*) FROM added) AS touched FROM pair
    """,
)
DELETE_MEMBER = Query(
    "delete a member from a contacts list",
    f"""
    WITH {_PAIR}, gone AS (
        DELETE FROM contacts_list_contact m USING pair
        WHERE m.contacts_list_id = pair.list_id AND m.contact_id = pair.account_id RETURNING m.contact_id
    )
    SELECT (SELECT count(*) FROM gone) AS touched FROM pair
    """,
)
ATTACH = Query(
    "attach a contacts list to an account",
    f"""
    WITH {_PAIR}, attached AS (
        INSERT INTO account_contacts_list (account_id, contacts_list_id) SELECT account_id, list_id FROM pair
        ON CONFLICT DO NOTHING RETURNING account_id
    )
    SELECT (SELECT count(*) FROM attached) AS touched FROM pair
    """,
)
DETACH = Query(
    "detach a contacts list from an account",
    f"""
    WITH {_PAIR}, detached AS (
        DELETE FROM account_contacts_list t USING pair
        WHERE t.account_id = pair.account_id AND t.contacts_list_id = pair.list_id RETURNING t.account_id
    )
    SELECT (SELECT count(*) FROM detached) AS touched FROM pair
    """,
)


async def list_of(runner: Runner, space_id: int) -> list[ContactsList]:
    """Return the lists of a Space, the oldest first."""
    return [ContactsList(**row) for row in await runner.run(LIST, space_id=space_id)]


async def find(runner: Runner, list_id: int, space_id: int | None) -> ContactsList | None:
    """Return a list within reach."""
    rows = await runner.run(FIND, list_id=list_id, space_id=space_id)
    return ContactsList(**rows[0]) if rows else None


async def add(runner: Runner, space_id: int, title: str, description: str) -> ContactsList:
    """Add an empty list to a Space.

    :raise ConstraintViolated: the title is taken.
    """
    return ContactsList(**(await runner.run(ADD, space_id=space_id, title=title, description=description))[0])


async def change(
    runner: Runner, list_id: int, space_id: int | None, title: str, description: str
) -> ContactsList | None:
    """Give a list within reach another title and description, and return it.

    :raise ConstraintViolated: the title is taken.
    """
    rows = await runner.run(CHANGE, list_id=list_id, space_id=space_id, title=title, description=description)
    return ContactsList(**rows[0]) if rows else None


async def delete(runner: Runner, list_id: int, space_id: int | None) -> int:
    """Delete a list within reach, its members stay as accounts; return how many lists there were."""
    return len(await runner.run(DELETE, list_id=list_id, space_id=space_id))


async def touch(
    runner: Runner, query: Query, list_id: int, space_id: int | None, account_id: int, domain: str | None
) -> int | None:
    """Run ADD_MEMBER, DELETE_MEMBER, ATTACH or DETACH; return how much that changed, None if there are no such two."""
    rows = await runner.run(query, list_id=list_id, space_id=space_id, account_id=account_id, domain=domain)
    return int(rows[0]["touched"]) if rows else None
