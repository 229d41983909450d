"""Codes that confirm a new email address or phone number: one of each kind is pending for an account.

The row of a code that is void, since it was used, replaced or guessed at too often, stays without the code: the
blocking service counts it.
"""

from __future__ import annotations

from attrs import field, frozen

from flexid.domain.account import Origin
from flexid.domain.tokens import AddressKind
from flexid.store.query import Query, Runner

_YOUNG = "coalesce(created_at >= now() - make_interval(mins => nullif(%(minutes)s::integer, 0)), true)"


@frozen
class TriedCode:
    """A pending code, with a try at it counted unless it has expired."""

    id: int
    code: str = field(repr=False)
    address: str
    attempts: int
    expired: bool


# Names of tables and columns are made of the kind.
def _create(kind: AddressKind) -> Query:
    return Query(
        f"create a code for a new {kind}",
        f"""
        WITH replaced AS (
            UPDATE {kind}_change_codes SET code = NULL, updated_at = now()
            WHERE account_id = %(account_id)s AND code IS NOT NULL RETURNING id
        )
        INSERT INTO {kind}_change_codes (account_id, code, {kind}, ip, user_agent)
        SELECT %(account_id)s, %(code)s, %(address)s, %(ip)s, %(user_agent)s
        FROM (SELECT count(*) FROM replaced) AS first
        """,
    )


# Of many tries at once each waits for the transaction of the one before, and then finds it counted, or the code void.
def _try(kind: AddressKind) -> Query:
    return Query(
        f"try a code for a new {kind}",
        f"""
        UPDATE {kind}_change_codes SET updated_at = now(), attempts = attempts + CASE WHEN {_YOUNG} THEN 1 ELSE 0 END
        WHERE account_id = %(account_id)s AND code IS NOT NULL AND attempts < %(most_attempts)s
        RETURNING id, code, {kind} AS address, attempts, NOT ({_YOUNG}) AS expired
        """,
    )


def _void(kind: AddressKind) -> Query:
    return Query(
        f"void a code for a new {kind}",
        f"UPDATE {kind}_change_codes SET code = NULL, updated_at = now() WHERE id = %(id)s",
    )


CREATE_EMAIL, CREATE_PHONE = _create("email"), _create("phone")
TRY_EMAIL, TRY_PHONE = _try("email"), _try("phone")
VOID_EMAIL, VOID_PHONE = _void("email"), _void("phone")

COUNT = Query(
    "count the codes of an account",
    """
    SELECT (SELECT count(*) FROM email_change_codes WHERE account_id = %(account_id)s AND created_at > since.moment)
        + (SELECT count(*) FROM phone_change_codes WHERE account_id = %(account_id)s AND created_at > since.moment)
        + (SELECT count(*) FROM recovery_codes WHERE account_id = %(account_id)s AND created_at > since.moment) AS codes
    FROM (SELECT now() - make_interval(mins => %(minutes)s::integer) AS moment) AS since
    """,
)


async def create(runner: Runner, kind: AddressKind, account_id: int, address: str, code: str, origin: Origin) -> None:
    """Keep a code for a new address; the pending one, if any, is void."""
    query = CREATE_EMAIL if kind == "email" else CREATE_PHONE
    await runner.run(
        query, account_id=account_id, address=address, code=code, ip=origin.ip, user_agent=origin.user_agent
    )


async def attempt(
    runner: Runner, kind: AddressKind, account_id: int, minutes: int, most_attempts: int
) -> TriedCode | None:
    """Count a try at the pending code, and return it to be compared; None if nothing is pending.

    Nobody else tries it until the transaction `runner` ends. A code older than `minutes` (0 = none is) has expired;
    after `most_attempts` there is none any more.
    """
    query = TRY_EMAIL if kind == "email" else TRY_PHONE
    rows = await runner.run(query, account_id=account_id, minutes=minutes, most_attempts=most_attempts)
    return TriedCode(**rows[0]) if rows else None


async def void(runner: Runner, kind: AddressKind, code_id: int) -> None:
    """Let nobody use a code any more."""
    await runner.run(VOID_EMAIL if kind == "email" else VOID_PHONE, id=code_id)


async def requested(runner: Runner, account_id: int, minutes: int) -> int:
    """Return how many codes of every kind an account has asked for in so many minutes, used and void ones too."""
    return int((await runner.run(COUNT, account_id=account_id, minutes=minutes))[0]["codes"])
