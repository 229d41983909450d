"""What triggers do for one row after the other is done here for all of them at once.

The audit log gets one entry for each Space that was moved, instead of one for every row; and names are held by one
statement. Switching triggers off is part of the transaction, and keeps others from writing to these tables meanwhile.
"""

from __future__ import annotations

from typing import Any

from flexid.store.upstream.tables import TABLES

PATIENCE = "SET LOCAL lock_timeout = '30s'"
TRIGGERS = r"""
    SELECT c.relname, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    WHERE t.tgname LIKE 'write\_audit\_log%%' AND c.relname = ANY (%(tables)s) AND t.tgenabled = 'O'
        AND c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'accounts'::regclass)
    ORDER BY 1, 2
"""
HOLDING = ("accounts", "hold_names_of_new")
NAMES = (
    """
    INSERT INTO account_names (domain, name, kind, account_id)
    SELECT u.domain, u.username, 'username', u.id FROM up_accounts u
    WHERE NOT EXISTS (SELECT FROM account_names n WHERE n.account_id = u.id)
    ORDER BY u.domain, u.username
    """,
    """
    INSERT INTO account_names (domain, name, kind, account_id)
    SELECT u.domain, u.phone, 'phone', u.id FROM up_accounts u
    WHERE u.phone <> u.username AND NOT EXISTS (
        SELECT FROM account_names n WHERE n.account_id = u.id AND n.kind = 'phone')
    ORDER BY u.domain, u.phone
    """,
)
DOER = """SET LOCAL flexid.doer = '{"name": "flexid import-upstream", "means": "command"}'"""
NOTE = """
    SELECT note_in_audit_log(s.domain, 'space.moved', NULL, NULL, jsonb_build_object(
        'accounts', (SELECT count(*) FROM up_accounts a WHERE a.domain = s.domain)))
    FROM up_spaces s
"""


def hush(cursor: Any) -> list[tuple[str, str]]:
    """Switch the triggers off; return which, by table and name."""
    cursor.execute(PATIENCE)
    cursor.execute(DOER)
    cursor.execute(TRIGGERS, {"tables": [table.name for table in TABLES]})
    triggers = [*cursor.fetchall(), HOLDING]
    for table in sorted({table for table, _ in triggers}):
        cursor.execute(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")
    for table, trigger in triggers:
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {trigger}")
    return triggers


def wake(cursor: Any, triggers: list[tuple[str, str]]) -> None:
    """Switch them on again, and write the entries of the audit log."""
    for table, trigger in triggers:
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER {trigger}")
    cursor.execute(NOTE)
