"""Imports of accounts on their way, as the daemon sees them; what a process of its own does is in `import_staging`."""

from __future__ import annotations

from attrs import frozen

from flexid.domain.account import Origin
from flexid.domain.account_imports import AccountImport, ImportReport
from flexid.store.query import Query, Row, Runner

ALIVE_SECONDS = 15
"""Who works on an import says so every second; after so many without a word nobody does."""
KEPT_MINUTES = 60

_COLUMNS = f"""
    id, domain, state, done, size, report,
    state NOT IN ('checking', 'writing') OR alive_at > now() - interval '{ALIVE_SECONDS} seconds' AS is_alive
"""
# An earlier file of the same session makes room, unless somebody still works on it.
BEGIN = Query(
    "begin an import",
    f"""
    INSERT INTO account_imports AS i (domain, session_hash, size, ip, user_agent, made_by)
    VALUES (%(domain)s, %(session_hash)s, %(size)s, %(ip)s, %(user_agent)s, %(made_by)s)
    ON CONFLICT (session_hash) DO NOTHING
    RETURNING {_COLUMNS}
    """,
)
FIND = Query("find an import of a session", f"SELECT {_COLUMNS} FROM account_imports WHERE session_hash = %(hash)s")
FIND_BY_ID = Query("find an import", f"SELECT {_COLUMNS} FROM account_imports WHERE id = %(id)s")
BEAT = Query(
    "tell that an import goes on",
    "UPDATE account_imports SET alive_at = now(), done = greatest(done, %(done)s) WHERE id = %(id)s",
)
CONFIRM = Query(
    "confirm an import",
    """
    UPDATE account_imports SET state = 'writing', alive_at = now()
    WHERE session_hash = %(hash)s AND id = %(id)s AND state = 'checked' RETURNING id
    """,
)
BREAK = Query(
    "break an import off",
    "UPDATE account_imports SET state = 'broken' WHERE id = %(id)s AND state IN ('checking', 'writing')",
)
DELETE = Query("delete an import", "DELETE FROM account_imports WHERE id = %(id)s")
DROP = Query(
    "drop the import of a session",
    f"""
    DELETE FROM account_imports WHERE session_hash = %(hash)s AND (
        state NOT IN ('checking', 'writing') OR alive_at <= now() - interval '{ALIVE_SECONDS} seconds'
    ) RETURNING id
    """,
)
CLEAR = Query(
    "clear imports",
    f"""
    DELETE FROM account_imports WHERE id IN (
        SELECT id FROM account_imports WHERE created_at < now() - interval '{KEPT_MINUTES} minutes' LIMIT 1
    ) RETURNING id
    """,
)


@frozen
class NewImport:
    """What an import begins with; `made_by` is kept as the user agent of its accounts."""

    domain: str
    size: int
    origin: Origin
    made_by: str
    session_hash: bytes | None = None


def from_row(row: Row) -> AccountImport:
    """Return the import that a row describes."""
    return AccountImport(**{**row, "report": ImportReport.unpacked(row["report"]) if row["report"] else ImportReport()})


async def begin(runner: Runner, new: NewImport) -> AccountImport | None:
    """Begin an import; None if its session has another one."""
    origin = new.origin
    rows = await runner.run(
        BEGIN,
        domain=new.domain,
        session_hash=new.session_hash,
        size=new.size,
        ip=origin.ip or None,
        user_agent=origin.user_agent,
        made_by=new.made_by,
    )
    return from_row(rows[0]) if rows else None


async def find(runner: Runner, session_hash: bytes) -> AccountImport | None:
    """Return the import that a session has on its way."""
    rows = await runner.run(FIND, hash=session_hash)
    return from_row(rows[0]) if rows else None


async def find_by_id(runner: Runner, import_id: int) -> AccountImport | None:
    """Return an import."""
    rows = await runner.run(FIND_BY_ID, id=import_id)
    return from_row(rows[0]) if rows else None


async def beat(runner: Runner, import_id: int, done: int) -> None:
    """Say that somebody works on an import, and how many bytes have been checked."""
    await runner.run(BEAT, id=import_id, done=done)


async def confirm(runner: Runner, session_hash: bytes, import_id: int) -> bool:
    """Let a checked import be written, once; return whether it is the session's, and may be."""
    return bool(await runner.run(CONFIRM, hash=session_hash, id=import_id))


async def break_off(runner: Runner, import_id: int) -> None:
    """Note that nobody works on an import any more."""
    await runner.run(BREAK, id=import_id)


async def delete(runner: Runner, import_id: int) -> None:
    """Delete an import."""
    await runner.run(DELETE, id=import_id)


async def drop(runner: Runner, session_hash: bytes) -> bool:
    """Delete the import of a session, unless somebody works on it; return whether there was one."""
    return bool(await runner.run(DROP, hash=session_hash))


async def clear(runner: Runner) -> int:
    """Delete an import that nobody came back for; return how many there were."""
    return len(await runner.run(CLEAR))
