"""Files of accounts, which are voicemails; `domain` is the one whose accounts are within reach, None for all.

A file that is deleted loses its account at once, as when the account goes: nobody sees it any more. Its row stays until
it is gone from the disk.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from attrs import frozen

from flexid.domain.voicemails import Voicemail
from flexid.store.query import Query, Row, Runner

AT_ONCE = 1000
_COLUMNS = "v.id, v.sip_from, v.content_type, v.name, v.size, v.created_at, v.uploaded_at"
_OWNER = "id = %(account_id)s AND (%(domain)s::text IS NULL OR domain = %(domain)s)"
_WITHIN_REACH = "a.id = v.account_id AND (%(domain)s::text IS NULL OR a.domain = %(domain)s)"

LIST = Query(
    "list voicemails",
    f"""
    SELECT {_COLUMNS} FROM (SELECT id FROM accounts WHERE {_OWNER}) o
    LEFT JOIN account_files v ON v.account_id = o.id AND (%(id)s::uuid IS NULL OR v.id = %(id)s::uuid)
    ORDER BY v.created_at DESC, v.id
    """,
)
# Two at once may both be the last one: the bound is against heaps, and need not be exact.
OPEN = Query(
    "open a slot for a voicemail",
    f"""
    WITH o AS (SELECT id, email FROM accounts WHERE {_OWNER}), v AS (
        INSERT INTO account_files (account_id, content_type, sip_from)
        SELECT o.id, %(content_type)s, %(sip_from)s FROM o WHERE o.email IS NOT NULL AND %(most)s > (
            SELECT count(*) FROM account_files f WHERE f.account_id = o.id AND f.uploaded_at IS NULL
        ) RETURNING *
    )
    SELECT {_COLUMNS}, o.email IS NOT NULL AS has_email FROM o LEFT JOIN v ON true
    """,
)
HAS_EMAIL = Query(
    "tell whether an account has an email address",
    f"SELECT email IS NOT NULL AS has_email FROM accounts WHERE {_OWNER}",
)
FIND_OPEN = Query(
    "find the slot of an upload",
    f"""
    SELECT {_COLUMNS} FROM account_files v JOIN accounts a ON {_WITHIN_REACH}
    WHERE v.id = %(id)s::uuid AND v.uploaded_at IS NULL
    """,
)
# Of several uploads to one slot the first locks it, and the others then find it filled.
FILL = Query(
    "fill the slot of a voicemail",
    f"""
    UPDATE account_files v SET name = %(name)s, size = %(size)s, uploaded_at = now(), updated_at = now(),
        mail_sent_at = CASE WHEN a.email IS NOT NULL THEN now() END
    FROM accounts a JOIN spaces s ON s.domain = a.domain
    WHERE {_WITHIN_REACH} AND v.id = %(id)s::uuid AND v.uploaded_at IS NULL
    RETURNING {_COLUMNS}, a.username || '@' || a.domain AS address, a.domain, a.email, s.host
    """,
)
FIND = Query(
    "find a file",
    f"""
    SELECT {_COLUMNS} FROM account_files v JOIN accounts a ON {_WITHIN_REACH}
    WHERE v.id = %(id)s::uuid AND v.name = %(name)s AND v.uploaded_at IS NOT NULL
    """,
)
DELETE = Query(
    "delete a voicemail",
    f"""
    WITH o AS (SELECT id FROM accounts WHERE {_OWNER}), gone AS (
        UPDATE account_files v SET account_id = NULL, updated_at = now() FROM o
        WHERE v.account_id = o.id AND v.id = %(id)s::uuid RETURNING v.id
    )
    SELECT (SELECT count(*) FROM gone) AS deleted FROM o
    """,
)
_OLD = "account_id IS NOT NULL AND created_at < %(before)s"
COUNT_OLD = Query("count old files", f"SELECT count(*) AS number FROM account_files WHERE {_OLD}")
DELETE_OLD, DELETE_UNFILLED = (
    Query(
        f"delete {what}",
        f"""
        UPDATE account_files SET account_id = NULL, updated_at = now() WHERE id IN (
            SELECT id FROM account_files WHERE {condition} LIMIT {AT_ONCE} FOR UPDATE SKIP LOCKED
        ) RETURNING id
        """,
    )
    for what, condition in (("old files", _OLD), ("slots that nobody filled", f"uploaded_at IS NULL AND {_OLD}"))
)
LIST_DELETED = Query(
    "list deleted files", f"SELECT id FROM account_files WHERE account_id IS NULL ORDER BY id LIMIT {AT_ONCE}"
)
FORGET = Query(
    "forget removed files", "DELETE FROM account_files WHERE id = ANY (%(ids)s::uuid[]) AND account_id IS NULL"
)
CLAIM_UNTOLD = Query(
    "claim voicemails that no mail told of",
    f"""
    UPDATE account_files v SET mail_sent_at = now()
    FROM accounts a JOIN spaces s ON s.domain = a.domain
    WHERE a.id = v.account_id AND v.id IN (
        SELECT f.id FROM account_files f JOIN accounts o ON o.id = f.account_id
        WHERE f.uploaded_at IS NOT NULL AND f.mail_sent_at IS NULL AND o.email IS NOT NULL
        ORDER BY f.created_at LIMIT 100 FOR UPDATE OF f SKIP LOCKED
    )
    RETURNING {_COLUMNS}, a.username || '@' || a.domain AS address, a.domain, a.email, s.host
    """,
)


@frozen
class Filled:
    """A voicemail with whom to tell of it: the account's SIP address, its email address, and its Space."""

    voicemail: Voicemail
    address: str
    domain: str
    email: str | None
    host: str


async def list_of(
    runner: Runner, account_id: int, domain: str | None, file_id: str | None = None
) -> list[Voicemail] | None:
    """Return the voicemails of an account, the newest first, or the one of an id; None if there is no account."""
    rows = await runner.run(LIST, account_id=account_id, domain=domain, id=file_id)
    return [Voicemail(**row) for row in rows if row["id"] is not None] if rows else None


async def open_slot(  # what a slot consists of
    runner: Runner, account_id: int, domain: str | None, content_type: str, sip_from: str | None, most: int
) -> tuple[bool, Voicemail | None] | None:
    """Open a slot, if the account has an email address, and fewer open ones than `most`.

    Return whether it has one, and the slot; None if there is no account.
    """
    values = {"content_type": content_type, "sip_from": sip_from, "most": most}
    rows = await runner.run(OPEN, account_id=account_id, domain=domain, **values)
    if not rows:
        return None
    has_email: bool = rows[0].pop("has_email")
    return has_email, _one(rows) if rows[0]["id"] is not None else None


async def has_email(runner: Runner, account_id: int, domain: str | None) -> bool | None:
    """Say whether mails can tell an account of voicemails; None if there is no account."""
    rows = await runner.run(HAS_EMAIL, account_id=account_id, domain=domain)
    return bool(rows[0]["has_email"]) if rows else None


async def find_open(runner: Runner, domain: str | None, file_id: str) -> Voicemail | None:
    """Return a slot that is not filled yet."""
    return _one(await runner.run(FIND_OPEN, domain=domain, id=file_id))


async def fill(runner: Runner, domain: str | None, file_id: str, name: str, size: int) -> Filled | None:
    """Fill a slot; None if there is none that is open."""
    rows = await runner.run(FILL, domain=domain, id=file_id, name=name, size=size)
    return _filled(rows[0]) if rows else None


async def find(runner: Runner, domain: str | None, file_id: str, name: str) -> Voicemail | None:
    """Return a voicemail that is there to be fetched under this name."""
    return _one(await runner.run(FIND, domain=domain, id=file_id, name=name))


async def delete(runner: Runner, account_id: int, domain: str | None, file_id: str) -> int | None:
    """Delete a voicemail; return how many there were, None if there is no such account."""
    rows = await runner.run(DELETE, account_id=account_id, domain=domain, id=file_id)
    return int(rows[0]["deleted"]) if rows else None


async def count_old(runner: Runner, before: datetime) -> int:
    """Return how many files were made before a time."""
    return int((await runner.run(COUNT_OLD, before=before))[0]["number"])


async def delete_old(runner: Runner, before: datetime) -> int:
    """Delete files that were made before a time, at most so many at once; return how many."""
    return len(await runner.run(DELETE_OLD, before=before))


async def delete_unfilled(runner: Runner, before: datetime) -> int:
    """Delete slots that were opened before a time and never filled, at most so many at once; return how many."""
    return len(await runner.run(DELETE_UNFILLED, before=before))


async def deleted(runner: Runner) -> list[str]:
    """Return files that are still to be removed from the disk."""
    return [row["id"] for row in await runner.run(LIST_DELETED)]


async def forget(runner: Runner, removed: Sequence[str]) -> None:
    """Forget deleted files that are gone from the disk."""
    await runner.run(FORGET, ids=list(removed))


async def claim_untold(runner: Runner) -> list[Filled]:
    """Return voicemails for which a mail is to be written within the same transaction."""
    return [_filled(row) for row in await runner.run(CLAIM_UNTOLD)]


def _one(rows: list[Row]) -> Voicemail | None:
    return Voicemail(**rows[0]) if rows else None


def _filled(row: dict[str, Any]) -> Filled:
    further = {name: row.pop(name) for name in ("address", "domain", "email", "host")}
    return Filled(Voicemail(**row), **further)
