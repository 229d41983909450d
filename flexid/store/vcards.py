"""Stored vCards of accounts; `domain` is the one whose accounts are within reach, None for all."""

from __future__ import annotations

from flexid.domain.vcard import StoredVCard, VCard
from flexid.store.query import Query, Row, Runner

_OWNER = """
    o AS (SELECT id FROM accounts WHERE id = %(account_id)s AND (%(domain)s::text IS NULL OR domain = %(domain)s))
"""
_COLUMNS = "v.uuid, v.vcard, v.created_at, v.updated_at"
READ = Query(
    "read stored vCards",
    f"""
    WITH {_OWNER}
    SELECT {_COLUMNS} FROM o LEFT JOIN vcards_storage v ON v.account_id = o.id
    AND (%(uuid)s::text IS NULL OR v.uuid = %(uuid)s) ORDER BY v.id
    """,
)
ADD = Query(
    "store a vCard",
    f"""
    WITH {_OWNER}, v AS (
        INSERT INTO vcards_storage (account_id, uuid, vcard) SELECT id, %(uuid)s, %(vcard)s FROM o
        ON CONFLICT (account_id, uuid) DO NOTHING RETURNING *
    )
    SELECT {_COLUMNS} FROM o LEFT JOIN v ON true
    """,
)
CHANGE = Query(
    "replace a stored vCard",
    f"""
    WITH {_OWNER}
    UPDATE vcards_storage v SET vcard = %(vcard)s, updated_at = now() FROM o
    WHERE v.account_id = o.id AND v.uuid = %(uuid)s RETURNING {_COLUMNS}
    """,
)
DELETE = Query(
    "delete a stored vCard",
    f"""
    WITH {_OWNER}
    DELETE FROM vcards_storage v USING o WHERE v.account_id = o.id AND v.uuid = %(uuid)s RETURNING v.id
    """,
)


async def read(
    runner: Runner, account_id: int, domain: str | None, uuid: str | None = None
) -> list[StoredVCard] | None:
    """Return the vCards of an account, the oldest first, or the one of a UID; None if there is no such account."""
    rows = await runner.run(READ, account_id=account_id, domain=domain, uuid=uuid)
    return [_stored(row) for row in rows if row["uuid"] is not None] if rows else None


async def add(runner: Runner, account_id: int, domain: str | None, card: VCard) -> list[StoredVCard] | None:
    """Store a vCard and return it, or nothing if its UID is known; None if there is no such account."""
    rows = await runner.run(ADD, account_id=account_id, domain=domain, uuid=card.uid, vcard=card.text)
    return [_stored(row) for row in rows if row["uuid"] is not None] if rows else None


async def change(runner: Runner, account_id: int, domain: str | None, card: VCard) -> StoredVCard | None:
    """Replace the vCard of a UID; None if there is none."""
    rows = await runner.run(CHANGE, account_id=account_id, domain=domain, uuid=card.uid, vcard=card.text)
    return _stored(rows[0]) if rows else None


async def delete(runner: Runner, account_id: int, domain: str | None, uuid: str) -> int:
    """Delete the vCard of a UID; return how many there were."""
    return len(await runner.run(DELETE, account_id=account_id, domain=domain, uuid=uuid))


def _stored(row: Row) -> StoredVCard:
    return StoredVCard(VCard(row["uuid"], row["vcard"]), row["created_at"], row["updated_at"])
