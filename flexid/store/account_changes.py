"""Accounts, as they are written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from attrs import asdict

from flexid.domain.account import FIELDS, Account, NewAccount, Origin
from flexid.domain.passwords import StoredPassword
from flexid.store.accounts import COLUMNS, JOINS, from_row
from flexid.store.query import Json, Query, Runner

_CHANGING = (*(name for name in FIELDS if name != "domain"), "blocked")

CREATE = Query(
    "create an account",
    f"""
    WITH a AS (
        INSERT INTO accounts ({", ".join(FIELDS)}, ip_address, user_agent)
        VALUES ({", ".join(f"%({name})s" for name in FIELDS)}, %(ip)s, %(user_agent)s)
        RETURNING *
    ), hashed AS (
        INSERT INTO passwords (account_id, algorithm, password)
        SELECT a.id, %(algorithm)s::text, %(ha1)s::text FROM a WHERE %(ha1)s::text IS NOT NULL
    ), token AS (
        INSERT INTO provisioning_tokens (account_id, token, ip, user_agent)
        SELECT a.id, %(token)s, %(ip)s, %(made_by)s FROM a
    ), entries AS (
        INSERT INTO account_dictionary_entries (account_id, key, value)
        SELECT a.id, e.key, e.value FROM a, jsonb_each_text(%(dictionary)s::jsonb) e
    )
    SELECT a.id, a.created_at FROM a
    """,
)
CHANGE = Query(
    "change an account",
    f"""
    UPDATE accounts SET {", ".join(f"{name} = %({name})s" for name in _CHANGING)}, updated_at = now()
    WHERE id = %(id)s
    """,
)
LOCK = Query(
    "lock an account",
    f"""
    SELECT {COLUMNS} FROM accounts a {JOINS}
    WHERE a.id = %(id)s AND (%(domain)s::text IS NULL OR a.domain = %(domain)s) FOR NO KEY UPDATE OF a
    """,
)
SET_ACTIVATED = Query(
    "activate or deactivate an account",
    """
    UPDATE accounts SET activated = %(value)s, updated_at = now()
    WHERE id = %(id)s AND (%(domain)s::text IS NULL OR domain = %(domain)s) RETURNING id
    """,
)
SET_EMAIL, SET_PHONE = (
    Query(
        f"set the confirmed {kind} of an account",
        f"UPDATE accounts SET {kind} = %(address)s, activated = true, updated_at = now() WHERE id = %(id)s",
    )
    for kind in ("email", "phone")
)
SET_BLOCKED = Query(
    "block or unblock an account",
    """
    UPDATE accounts SET blocked = %(value)s, updated_at = now()
    WHERE id = %(id)s AND (%(domain)s::text IS NULL OR domain = %(domain)s) RETURNING id
    """,
)
SET_ADMIN = Query(
    "make an account an administrator",
    "UPDATE accounts SET admin = true, updated_at = now() WHERE id = %(id)s RETURNING id",
)
SET_PASSWORD = Query(
    "replace the passwords of an account",
    """
    WITH kept AS (
        INSERT INTO passwords (account_id, algorithm, password) VALUES (%(id)s, %(algorithm)s, %(ha1)s)
        ON CONFLICT (account_id, algorithm) DO UPDATE SET password = excluded.password
    )
    DELETE FROM passwords WHERE account_id = %(id)s AND algorithm <> %(algorithm)s
    """,
)
SET_DICTIONARY = Query(
    "replace the dictionary of an account",
    """
    WITH kept AS (
        INSERT INTO account_dictionary_entries (account_id, key, value)
        SELECT %(id)s, e.key, e.value FROM jsonb_each_text(%(dictionary)s::jsonb) e
        ON CONFLICT (account_id, key) DO UPDATE SET value = excluded.value, updated_at = now()
    )
    DELETE FROM account_dictionary_entries
    WHERE account_id = %(id)s AND NOT %(dictionary)s::jsonb ? key
    """,
)
# Only the keys that are named are touched: entries that somebody else sets meanwhile stay.
MERGE_DICTIONARY = Query(
    "merge into the dictionary of an account",
    """
    WITH entries AS (
        SELECT key, value FROM jsonb_each_text(%(entries)s::jsonb)
    ), kept AS (
        INSERT INTO account_dictionary_entries (account_id, key, value)
        SELECT %(id)s, key, value FROM entries WHERE value IS NOT NULL
        ON CONFLICT (account_id, key) DO UPDATE SET value = excluded.value, updated_at = now()
    )
    DELETE FROM account_dictionary_entries d USING entries e
    WHERE d.account_id = %(id)s AND d.key = e.key AND e.value IS NULL
    """,
)
BURY = Query(
    "leave a tombstone",
    """
    UPDATE account_names SET kind = 'tombstone', account_id = NULL, created_at = now()
    WHERE account_id = %(id)s AND kind = 'username'
    """,
)
DELETE_STATISTICS = Query(
    "delete what an account has sent",
    """
    WITH gone AS (SELECT username, domain FROM accounts WHERE id = %(id)s),
    calls AS (
        DELETE FROM statistics_calls s USING gone WHERE s.from_username = gone.username AND s.from_domain = gone.domain
    )
    DELETE FROM statistics_messages s USING gone
    WHERE s.from_username = gone.username AND s.from_domain = gone.domain
    """,
)
DELETE = Query("delete an account", "DELETE FROM accounts WHERE id = %(id)s RETURNING id")


async def create(runner: Runner, new: NewAccount, token: str, origin: Origin, made_by: str) -> Account:
    """Create an account, whole, in one statement. `made_by` is kept as its user agent.

    :raise ConstraintViolated: a name is taken, or the Space is full.
    """
    values: dict[str, Any] = asdict(new, recurse=False)
    password: StoredPassword | None = values.pop("password")
    rows = await runner.run(
        CREATE,
        **{**values, "dictionary": Json(new.dictionary)},
        algorithm=password and password.algorithm,
        ha1=password and password.ha1,
        token=token,
        ip=origin.ip,
        user_agent=made_by,
        made_by=origin.user_agent,
    )
    row = rows[0]
    return Account(
        **values,
        id=row["id"],
        blocked=False,
        ip_address=origin.ip,
        user_agent=made_by,
        created_at=row["created_at"],
        updated_at=row["created_at"],
        provisioning_token=token,
        provisioning_token_made_at=row["created_at"],
        passwords=(password,) if password else (),
    )


async def lock(runner: Runner, account_id: int, domain: str | None = None) -> Account | None:
    """Return an account as `accounts.find` does, and let nobody else change it until the transaction ends."""
    rows = await runner.run(LOCK, id=account_id, domain=domain)
    return from_row(rows[0]) if rows else None


async def change(runner: Runner, account: Account) -> None:
    """Write the fields that an administrator may change.

    :raise ConstraintViolated: a name is taken.
    """
    await runner.run(CHANGE, id=account.id, **{name: getattr(account, name) for name in _CHANGING})


async def set_activated(runner: Runner, account_id: int, domain: str | None, *, value: bool) -> bool:
    """Activate or deactivate an account of `domain` (None: of any); return whether there is one."""
    return bool(await runner.run(SET_ACTIVATED, id=account_id, domain=domain, value=value))


async def set_address(runner: Runner, kind: Literal["email", "phone"], account_id: int, address: str) -> None:
    """Give an account the email address or phone number that its owner has confirmed, and activate it.

    :raise ConstraintViolated: it is somebody else's.
    """
    await runner.run(SET_EMAIL if kind == "email" else SET_PHONE, id=account_id, address=address)


async def set_blocked(runner: Runner, account_id: int, domain: str | None, *, value: bool) -> bool:
    """Block or unblock an account of `domain` (None: of any); return whether there is one."""
    return bool(await runner.run(SET_BLOCKED, id=account_id, domain=domain, value=value))


async def set_admin(runner: Runner, account_id: int) -> bool:
    """Make an account an administrator; return whether there is one."""
    return bool(await runner.run(SET_ADMIN, id=account_id))


async def set_password(runner: Runner, account_id: int, password: StoredPassword) -> None:
    """Store this hash and no other."""
    await runner.run(SET_PASSWORD, id=account_id, algorithm=password.algorithm, ha1=password.ha1)


async def set_dictionary(runner: Runner, account_id: int, dictionary: dict[str, str]) -> None:
    """Store these entries and no others."""
    await runner.run(SET_DICTIONARY, id=account_id, dictionary=Json(dictionary))


async def merge_dictionary(runner: Runner, account_id: int, entries: Mapping[str, str | None]) -> None:
    """Store these entries, delete those that are None, and leave all others as they are."""
    await runner.run(MERGE_DICTIONARY, id=account_id, entries=Json(entries))


async def delete(runner: Runner, account_id: int, *, bury: bool = True) -> int:
    """Delete an account and what it has sent, and leave a tombstone on its name; return how many there were."""
    if bury:
        await runner.run(BURY, id=account_id)
    await runner.run(DELETE_STATISTICS, id=account_id)
    return len(await runner.run(DELETE, id=account_id))
