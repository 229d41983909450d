"""Contacts of accounts; `domain` is the one whose accounts are within reach, None for all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flexid.domain.account import Account
from flexid.domain.contacts import Contact
from flexid.store.accounts import COLUMNS, JOINS, from_row
from flexid.store.query import Query, Runner

_CONTACT = """
    json_build_object('id', a.id, 'username', a.username, 'domain', a.domain, 'display_name', a.display_name,
        'activated', a.activated, 'dtmf_protocol', a.dtmf_protocol,
        'dictionary', (SELECT json_object_agg(d.key, d.value ORDER BY d.key)
            FROM account_dictionary_entries d WHERE d.account_id = a.id),
        'types', (SELECT json_agg(json_build_object('id', y.id, 'key', y.key) ORDER BY y.id)
            FROM account_account_type x JOIN account_types y ON y.id = x.account_type_id WHERE x.account_id = a.id),
        'actions', CASE WHEN a.dtmf_protocol IS NOT NULL THEN (
            SELECT json_agg(json_build_object('id', n.id, 'key', n.key, 'code', n.code) ORDER BY n.id)
            FROM account_actions n WHERE n.account_id = a.id) END)
"""
KNOWN_IDS = """
    SELECT k.contact_id FROM contacts k WHERE k.account_id = %(account_id)s
    UNION ALL
    SELECT m.contact_id FROM account_contacts_list l
    JOIN contacts_list_contact m ON m.contacts_list_id = l.contacts_list_id WHERE l.account_id = %(account_id)s
"""
"""The ids of all contacts of an account; those that it has several ways come several times."""

# Found by an array of ids, not by a join: PostgreSQL would rather walk through all accounts. One document for all of
# them: reading ten thousand rows with three documents in each would hold up other requests three times as long.
KNOWN = Query(
    "contacts of an account",
    f"SELECT json_agg({_CONTACT} ORDER BY a.id) AS contacts FROM accounts a WHERE a.id = ANY (ARRAY({KNOWN_IDS}))",
)
KNOWN_BY_ADDRESS = Query(
    "a contact of an account by address",
    f"""
    SELECT {_CONTACT} AS contact FROM accounts a
    WHERE a.username = %(username)s AND a.domain = %(domain)s AND a.id IN ({KNOWN_IDS})
    """,
)
DIRECT = Query(
    "direct contacts of an account",
    f"""
    SELECT {COLUMNS} FROM (
        SELECT id FROM accounts WHERE id = %(account_id)s AND (%(domain)s::text IS NULL OR domain = %(domain)s)
    ) o LEFT JOIN accounts a ON a.id = ANY (ARRAY(
        SELECT contact_id FROM contacts
        WHERE account_id = %(account_id)s AND (%(contact_id)s::bigint IS NULL OR contact_id = %(contact_id)s)
    )) AND (%(domain)s::text IS NULL OR a.domain = %(domain)s) {JOINS}
    ORDER BY a.id
    """,
)
ADD = Query(
    "add a contact",
    """
    WITH pair AS (
        SELECT o.id AS account_id, c.id AS contact_id FROM accounts o, accounts c
        WHERE o.id = %(account_id)s AND (%(domain)s::text IS NULL OR o.domain = %(domain)s)
        AND c.id = %(contact_id)s AND (%(domain)s::text IS NULL OR c.domain = %(domain)s)
    ), added AS (
        INSERT INTO contacts (account_id, contact_id) SELECT account_id, contact_id FROM pair ON CONFLICT DO NOTHING
    )
    SELECT account_id FROM pair
    """,
)
DELETE = Query(
    "delete a contact",
    """
    DELETE FROM contacts k USING accounts o, accounts c
    WHERE k.account_id = %(account_id)s AND k.contact_id = %(contact_id)s
    AND o.id = k.account_id AND (%(domain)s::text IS NULL OR o.domain = %(domain)s)
    AND c.id = k.contact_id AND (%(domain)s::text IS NULL OR c.domain = %(domain)s)
    RETURNING k.contact_id
    """,
)


async def known_to(runner: Runner, account_id: int) -> Iterator[Contact]:
    """Return the direct contacts of an account and the members of its lists, each once, by id.

    They are made one by one as they are asked for: of ten thousand at once, most of the time would go to Python's
    collector, which then looks through all that there is.
    """
    rows = await runner.run(KNOWN, account_id=account_id)
    return map(_contact, rows[0]["contacts"] or ())


async def find_known(runner: Runner, account_id: int, username: str, domain: str) -> Contact | None:
    """Return the one of them with an address."""
    rows = await runner.run(KNOWN_BY_ADDRESS, account_id=account_id, username=username, domain=domain)
    return _contact(rows[0]["contact"]) if rows else None


async def direct(
    runner: Runner, account_id: int, domain: str | None, contact_id: int | None = None
) -> list[Account] | None:
    """Return the direct contacts of an account, by id, or the one of an id; None if there is no such account."""
    rows = await runner.run(DIRECT, account_id=account_id, domain=domain, contact_id=contact_id)
    return [from_row(row) for row in rows if row["id"] is not None] if rows else None


async def add(runner: Runner, account_id: int, domain: str | None, contact_id: int) -> bool:
    """Make an account a contact of another, if it is none yet; return whether there are such two."""
    return bool(await runner.run(ADD, account_id=account_id, domain=domain, contact_id=contact_id))


async def delete(runner: Runner, account_id: int, domain: str | None, contact_id: int) -> int:
    """Delete a direct contact; return how many there were."""
    return len(await runner.run(DELETE, account_id=account_id, domain=domain, contact_id=contact_id))


def _contact(read: dict[str, Any]) -> Contact:
    return Contact(
        read["id"],
        read["username"],
        read["domain"],
        read["display_name"],
        read["activated"],
        read["dtmf_protocol"],
        read["dictionary"] or {},
        read["types"] or (),
        read["actions"] or (),
    )
