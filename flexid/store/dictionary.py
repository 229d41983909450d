"""Dictionary entries of accounts; `domain` is the one whose accounts are within reach, None for all."""

from __future__ import annotations

from flexid.domain.dictionary import DictionaryEntry
from flexid.store.query import Query, Runner

READ = Query(
    "read a dictionary",
    """
    SELECT (
        SELECT json_object_agg(d.key, d.value ORDER BY d.id) FROM account_dictionary_entries d WHERE d.account_id = a.id
    ) AS entries
    FROM accounts a WHERE a.id = %(account_id)s AND (%(domain)s::text IS NULL OR a.domain = %(domain)s)
    """,
)
SET = Query(
    "set a dictionary entry",
    """
    INSERT INTO account_dictionary_entries (account_id, key, value)
    SELECT a.id, %(key)s, %(value)s
    FROM accounts a WHERE a.id = %(account_id)s AND (%(domain)s::text IS NULL OR a.domain = %(domain)s)
    ON CONFLICT (account_id, key) DO UPDATE SET value = excluded.value, updated_at = now()
    RETURNING account_id
    """,
)
DELETE = Query(
    "delete dictionary entries",
    """
    WITH reached AS (
        SELECT id FROM accounts WHERE id = %(account_id)s AND (%(domain)s::text IS NULL OR domain = %(domain)s)
    ), gone AS (
        DELETE FROM account_dictionary_entries d USING reached r
        WHERE d.account_id = r.id AND (%(key)s::text IS NULL OR d.key = %(key)s) RETURNING d.id
    )
    SELECT (SELECT count(*) FROM gone) AS deleted FROM reached
    """,
)


async def read(runner: Runner, account_id: int, domain: str | None) -> dict[str, str] | None:
    """Return the entries of an account, the oldest first; None if there is no such account."""
    rows = await runner.run(READ, account_id=account_id, domain=domain)
    return (rows[0]["entries"] or {}) if rows else None


async def set_entry(runner: Runner, account_id: int, domain: str | None, entry: DictionaryEntry) -> bool:
    """Add an entry, or replace the value of its key; return whether there is such an account."""
    return bool(await runner.run(SET, account_id=account_id, domain=domain, key=entry.key, value=entry.value))


async def delete(runner: Runner, account_id: int, domain: str | None, key: str | None = None) -> int | None:
    """Delete the entry of a key, or all entries; return how many there were, None if there is no such account."""
    rows = await runner.run(DELETE, account_id=account_id, domain=domain, key=key)
    return int(rows[0]["deleted"]) if rows else None
