"""Call forwardings of accounts; `domain` is the one whose accounts are within reach, None for all.

Constraints decide which of them may stand side by side: see the migration of 0008.
"""

from __future__ import annotations

from attrs import asdict, frozen

from flexid.domain.call_forwardings import CallForwarding, NewCallForwarding
from flexid.store.contacts import KNOWN_IDS
from flexid.store.query import Query, Row, Runner

_COLUMNS = """
    f.id, f.type, f.forward_to, f.sip_uri, f.enabled, f.contact_id, 'sip:' || b.username || '@' || b.domain
    AS contact_sip_uri, f.created_at, f.updated_at
"""
_OWNER = "id = %(account_id)s AND (%(domain)s::text IS NULL OR domain = %(domain)s)"
# Who waits here for another's change to the same account cannot wait for it at the constraint, where each of two would
# wait for the other.
_LOCKED = f"locked AS MATERIALIZED (SELECT id FROM accounts WHERE {_OWNER} FOR NO KEY UPDATE)"
_CONTACT_IS_KNOWN = f"(%(contact_id)s::bigint IS NULL OR %(contact_id)s IN ({KNOWN_IDS}))"

LIST = Query(
    "list call forwardings",
    f"""
    SELECT {_COLUMNS} FROM (SELECT id FROM accounts WHERE {_OWNER}) o
    LEFT JOIN call_forwardings f ON f.account_id = o.id AND (%(id)s::bigint IS NULL OR f.id = %(id)s)
    LEFT JOIN accounts b ON b.id = f.contact_id
    ORDER BY f.id DESC
    """,
)
ADD = Query(
    "add a call forwarding",
    f"""
    WITH {_LOCKED}, f AS (
        INSERT INTO call_forwardings (account_id, type, forward_to, sip_uri, contact_id, enabled)
        SELECT id, %(type)s, %(forward_to)s, %(sip_uri)s, %(contact_id)s, %(enabled)s FROM locked
        WHERE {_CONTACT_IS_KNOWN} RETURNING *
    )
    SELECT {_COLUMNS} FROM f LEFT JOIN accounts b ON b.id = f.contact_id
    """,
)
CHANGE = Query(
    "change a call forwarding",
    f"""
    WITH {_LOCKED}, f AS (
        UPDATE call_forwardings c SET type = %(type)s, forward_to = %(forward_to)s, sip_uri = %(sip_uri)s,
            contact_id = %(contact_id)s, enabled = %(enabled)s, updated_at = now()
        FROM locked WHERE c.account_id = locked.id AND c.id = %(id)s AND {_CONTACT_IS_KNOWN} RETURNING c.*
    )
    SELECT {_COLUMNS} FROM f LEFT JOIN accounts b ON b.id = f.contact_id
    """,
)
DELETE = Query(
    "delete a call forwarding",
    f"""
    WITH o AS (SELECT id FROM accounts WHERE {_OWNER}), gone AS (
        DELETE FROM call_forwardings f USING o WHERE f.account_id = o.id AND f.id = %(id)s RETURNING f.id
    )
    SELECT (SELECT count(*) FROM gone) AS deleted FROM o
    """,
)
STANDING = Query(
    "what stands against a call forwarding",
    f"""
    SELECT {_CONTACT_IS_KNOWN} AS contact_is_known, f.id, f.type, f.enabled
    FROM (SELECT id FROM accounts WHERE {_OWNER}) o LEFT JOIN call_forwardings f ON f.account_id = o.id
    """,
)


@frozen
class Standing:
    """What a new or changed call forwarding meets: types and whether they are enabled, by id."""

    contact_is_known: bool
    forwardings: dict[int, tuple[str, bool]]


async def list_of(
    runner: Runner, account_id: int, domain: str | None, forwarding_id: int | None = None
) -> list[CallForwarding] | None:
    """Return the call forwardings of an account, the newest first, or the one of an id; None if there is no account."""
    rows = await runner.run(LIST, account_id=account_id, domain=domain, id=forwarding_id)
    return [CallForwarding(**row) for row in rows if row["id"] is not None] if rows else None


async def add(runner: Runner, account_id: int, domain: str | None, new: NewCallForwarding) -> CallForwarding | None:
    """Add a call forwarding; None if there is no such account, or it has no such contact.

    :raise ConstraintViolated: others of the account do not allow it.
    """
    return _one(await runner.run(ADD, account_id=account_id, domain=domain, **asdict(new)))


async def change(
    runner: Runner, account_id: int, domain: str | None, forwarding_id: int, new: NewCallForwarding
) -> CallForwarding | None:
    """Change a call forwarding; None if there is none, or the account has no such contact.

    :raise ConstraintViolated: others of the account do not allow it.
    """
    return _one(await runner.run(CHANGE, account_id=account_id, domain=domain, id=forwarding_id, **asdict(new)))


async def delete(runner: Runner, account_id: int, domain: str | None, forwarding_id: int) -> int | None:
    """Delete a call forwarding; return how many there were, None if there is no such account."""
    rows = await runner.run(DELETE, account_id=account_id, domain=domain, id=forwarding_id)
    return int(rows[0]["deleted"]) if rows else None


async def standing(runner: Runner, account_id: int, domain: str | None, contact_id: int | None) -> Standing | None:
    """Return what an account has already; None if there is no such account."""
    rows = await runner.run(STANDING, account_id=account_id, domain=domain, contact_id=contact_id)
    if not rows:
        return None
    return Standing(
        rows[0]["contact_is_known"],
        {row["id"]: (row["type"], row["enabled"]) for row in rows if row["id"] is not None},
    )


def _one(rows: list[Row]) -> CallForwarding | None:
    return CallForwarding(**rows[0]) if rows else None
