"""API keys, found by their hash, and the counting of their uses."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from attrs import frozen

from flexid.domain.account import Actor
from flexid.domain.api_key import AdminKey
from flexid.store.query import Query, Runner

FIND = Query(
    "find an API key",
    """
    SELECT k.id, k.ip, k.expires_after_last_used_minutes, k.last_used_at,
        a.id AS account_id, a.username, a.domain, a.admin, a.blocked, s.super AS super_space
    FROM api_keys k JOIN accounts a ON a.id = k.account_id JOIN spaces s ON s.domain = a.domain
    WHERE k.key_hash = %(key_hash)s
    """,
)
SET_USER_KEY = Query(
    "replace the API key of a user",
    """
    INSERT INTO api_keys (account_id, kind, key_hash, key_start, ip, expires_after_last_used_minutes)
    VALUES (%(account_id)s, 'user', %(key_hash)s, %(key_start)s, %(ip)s, %(minutes)s)
    ON CONFLICT (account_id) WHERE kind = 'user' DO UPDATE SET key_hash = excluded.key_hash,
        key_start = excluded.key_start, ip = excluded.ip, requests = 0, last_used_at = now(),
        expires_after_last_used_minutes = excluded.expires_after_last_used_minutes,
        created_at = now(), updated_at = now()
    """,
)
ADD_ADMIN_KEY = Query(
    "add an API key of an administrator",
    """
    INSERT INTO api_keys (account_id, kind, name, key_hash, key_start, ip, expires_after_last_used_minutes)
    VALUES (%(account_id)s, 'admin', %(name)s, %(key_hash)s, %(key_start)s, %(ip)s, %(minutes)s)
    """,
)
_ADMIN_KEYS = """
    FROM api_keys k JOIN accounts a ON a.id = k.account_id WHERE k.kind = 'admin' AND a.domain = %(domain)s
"""
_SHOWN = """
    k.id, k.name, k.key_start AS start, a.username, k.ip, k.requests, k.expires_after_last_used_minutes,
    k.last_used_at, k.created_at
"""
LIST_ADMIN_KEYS = Query(
    "list API keys of administrators",
    f"SELECT {_SHOWN} {_ADMIN_KEYS} AND a.admin ORDER BY k.created_at DESC, k.id DESC",
)
FIND_ADMIN_KEY = Query("find an API key of an administrator", f"SELECT {_SHOWN} {_ADMIN_KEYS} AND k.id = %(id)s")
DELETE_ADMIN_KEY = Query(
    "delete an API key of an administrator",
    f"DELETE FROM api_keys WHERE id = (SELECT k.id {_ADMIN_KEYS} AND k.id = %(id)s) RETURNING account_id",
)
COUNT_USES = Query(
    "count uses of API keys",
    """
    UPDATE api_keys k SET requests = k.requests + u.uses, last_used_at = greatest(k.last_used_at, u.used_at)
    FROM unnest(%(ids)s::bigint[], %(uses)s::bigint[], %(used_at)s::timestamptz[]) AS u (id, uses, used_at)
    WHERE k.id = u.id
    """,
)
CLEAR_EXPIRED = Query(
    "clear expired API keys",
    """
    DELETE FROM api_keys WHERE id IN (
        SELECT id FROM api_keys
        WHERE CASE WHEN kind = 'user' AND %(minutes)s::integer IS NOT NULL
            THEN last_used_at < now() - make_interval(mins => %(minutes)s::integer)
            ELSE expires_after_last_used_minutes > 0
                AND last_used_at < now() - make_interval(mins => expires_after_last_used_minutes) END
        LIMIT 10000
    ) RETURNING id
    """,
)


@frozen
class ApiKey:
    """A key without its secret, and who it speaks for."""

    id: int
    ip: str | None
    expires_after_last_used_minutes: int
    last_used_at: datetime
    actor: Actor


async def find(runner: Runner, key_hash: bytes) -> ApiKey | None:
    """Return the key with this SHA-256."""
    rows = await runner.run(FIND, key_hash=key_hash)
    if not rows:
        return None
    row = rows[0]
    key = {name: row.pop(name) for name in ("id", "ip", "expires_after_last_used_minutes", "last_used_at")}
    return ApiKey(actor=Actor(**row), **key)


async def set_user_key(runner: Runner, account_id: int, key_hash: bytes, key_start: str, ip: str, minutes: int) -> None:
    """Give an account its one user key; the one before is void. `minutes` unused end it, 0 = never."""
    await runner.run(
        SET_USER_KEY, account_id=account_id, key_hash=key_hash, key_start=key_start, ip=ip, minutes=minutes
    )


async def add_admin_key(
    runner: Runner, account_id: int, name: str, key_hash: bytes, key_start: str, ip: str | None, minutes: int
) -> None:
    """Add a named key; `ip` None = from anywhere, `minutes` unused end it, 0 = never."""
    await runner.run(
        ADD_ADMIN_KEY,
        account_id=account_id,
        name=name,
        key_hash=key_hash,
        key_start=key_start,
        ip=ip,
        minutes=minutes,
    )


async def list_admin_keys(runner: Runner, domain: str) -> list[AdminKey]:
    """Return the keys of a domain's administrators, the latest first."""
    return [AdminKey(**row) for row in await runner.run(LIST_ADMIN_KEYS, domain=domain)]


async def find_admin_key(runner: Runner, key_id: int, domain: str) -> AdminKey | None:
    """Return a key of one of a domain's administrators."""
    rows = await runner.run(FIND_ADMIN_KEY, id=key_id, domain=domain)
    return AdminKey(**rows[0]) if rows else None


async def delete_admin_key(runner: Runner, key_id: int, domain: str) -> int | None:
    """Delete a key of one of a domain's administrators; return the id of its account, None if there was none."""
    rows = await runner.run(DELETE_ADMIN_KEY, id=key_id, domain=domain)
    return rows[0]["account_id"] if rows else None


async def count_uses(runner: Runner, uses: Mapping[int, tuple[int, datetime]]) -> None:
    """Add what was counted in memory: for each key's id the number of uses and the last one's time."""
    await runner.run(
        COUNT_USES,
        ids=list(uses),
        uses=[number for number, _ in uses.values()],
        used_at=[used_at for _, used_at in uses.values()],
    )


async def clear_expired(runner: Runner, minutes: int | None = None) -> int:
    """Delete keys that were unused for too long, at most 10,000 at once; return how many.

    `minutes` replaces what user keys were given; administrators' keys always follow their own.
    """
    return len(await runner.run(CLEAR_EXPIRED, minutes=minutes))
