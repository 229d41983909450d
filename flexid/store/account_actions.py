"""Actions of accounts; `domain` is the one whose accounts are within reach, None for all."""

from __future__ import annotations

from attrs import frozen

from flexid.domain.account_actions import AccountAction
from flexid.store.query import Query, Row, Runner

_REACHED = """
    reached AS (
        SELECT id, dtmf_protocol IS NOT NULL AS has_dtmf FROM accounts
        WHERE id = %(account_id)s AND (%(domain)s::text IS NULL OR domain = %(domain)s)
    )
"""
READ = Query(
    "read the actions of an account",
    f"""
    WITH {_REACHED}
    SELECT r.has_dtmf, n.id, n.key, n.code FROM reached r LEFT JOIN account_actions n ON n.account_id = r.id
    AND (%(id)s::bigint IS NULL OR n.id = %(id)s) ORDER BY n.id
    """,
)
ADD = Query(
    "add an action",
    f"""
    WITH {_REACHED}, added AS (
        INSERT INTO account_actions (account_id, key, code) SELECT id, %(key)s, %(code)s FROM reached WHERE has_dtmf
        RETURNING id, key, code
    )
    SELECT r.has_dtmf, n.id, n.key, n.code FROM reached r LEFT JOIN added n ON true
    """,
)
CHANGE = Query(
    "change an action",
    f"""
    WITH {_REACHED}, changed AS (
        UPDATE account_actions n SET key = %(key)s, code = %(code)s, updated_at = now()
        FROM reached r WHERE n.account_id = r.id AND r.has_dtmf AND n.id = %(id)s RETURNING n.id, n.key, n.code
    )
    SELECT r.has_dtmf, n.id, n.key, n.code FROM reached r LEFT JOIN changed n ON true
    """,
)
DELETE = Query(
    "delete an action",
    f"""
    WITH {_REACHED}, gone AS (
        DELETE FROM account_actions n USING reached r
        WHERE n.account_id = r.id AND r.has_dtmf AND n.id = %(id)s RETURNING n.id, n.key, n.code
    )
    SELECT r.has_dtmf, n.id, n.key, n.code FROM reached r LEFT JOIN gone n ON true
    """,
)


@frozen
class Touched:
    """The actions of an account that a statement was about, and whether the account has a DTMF protocol."""

    has_dtmf: bool
    actions: tuple[AccountAction, ...]


async def read(runner: Runner, account_id: int, domain: str | None, action_id: int | None = None) -> Touched | None:
    """Return the actions of an account, the oldest first, or the one of an id; None if there is no such account."""
    return _touched(await runner.run(READ, account_id=account_id, domain=domain, id=action_id))


async def add(runner: Runner, account_id: int, domain: str | None, key: str, code: str) -> Touched | None:
    """Add an action, if the account has a DTMF protocol; None if there is no such account."""
    return _touched(await runner.run(ADD, account_id=account_id, domain=domain, key=key, code=code))


async def change(runner: Runner, account_id: int, domain: str | None, action: AccountAction) -> Touched | None:
    """Change an action, if the account has a DTMF protocol; None if there is no such account."""
    return _touched(
        await runner.run(CHANGE, account_id=account_id, domain=domain, id=action.id, key=action.key, code=action.code)
    )


async def delete(runner: Runner, account_id: int, domain: str | None, action_id: int) -> Touched | None:
    """Delete an action, if the account has a DTMF protocol; None if there is no such account."""
    return _touched(await runner.run(DELETE, account_id=account_id, domain=domain, id=action_id))


def _touched(rows: list[Row]) -> Touched | None:
    if not rows:
        return None
    return Touched(
        rows[0]["has_dtmf"],
        tuple(AccountAction(row["id"], row["key"], row["code"]) for row in rows if row["id"] is not None),
    )
