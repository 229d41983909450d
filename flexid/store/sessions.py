"""Sessions of the portal."""

from __future__ import annotations

from flexid.domain.account import Actor, Origin
from flexid.domain.passwords import StoredPassword
from flexid.domain.session import Session
from flexid.store.query import Query, Runner

REST_SECONDS = 60
"""A session's use is noted this often at most, so that reading a page is no write."""

# With a password, only while just that one is stored: one that is being replaced opens no session any more. The account
# is locked before its password, as those who change both do.
BEGIN_WITH_PASSWORD = Query(
    "begin a session with a password",
    """
    WITH a AS MATERIALIZED (SELECT id FROM accounts WHERE id = %(account_id)s FOR KEY SHARE)
    INSERT INTO sessions (id_hash, domain, account_id, ip, user_agent)
    SELECT %(id_hash)s, %(domain)s, a.id, %(ip)s, %(user_agent)s
    FROM a JOIN passwords p ON p.account_id = a.id
    WHERE p.algorithm = %(algorithm)s AND p.password = %(ha1)s FOR SHARE OF p
    RETURNING account_id
    """,
)
BEGIN = Query(
    "begin a session",
    """
    INSERT INTO sessions (id_hash, domain, account_id, ip, user_agent)
    VALUES (%(id_hash)s, %(domain)s, %(account_id)s, %(ip)s, %(user_agent)s)
    """,
)
# Whoever sets up the OpenID server of a Space is not to rule every Space by it: the account is looked at once more, and
# locked against a change of its rights meanwhile.
BEGIN_BY_OPENID = Query(
    "begin a session by an OpenID server",
    """
    INSERT INTO sessions (id_hash, domain, account_id, ip, user_agent, id_token)
    SELECT %(id_hash)s, a.domain, a.id, %(ip)s, %(user_agent)s, %(id_token)s
    FROM accounts a JOIN spaces p ON p.domain = a.domain
    WHERE a.id = %(account_id)s AND a.domain = %(domain)s AND NOT a.blocked AND NOT (a.admin AND p.super)
    FOR SHARE OF a
    RETURNING account_id
    """,
)
# A Space may have become a super Space since an administrator of it signed in at its OpenID server.
FIND = Query(
    "find a session",
    """
    SELECT a.id AS account_id, a.username, a.domain, a.admin, a.blocked, p.super AS super_space, a.display_name,
        s.used_at < now() - make_interval(secs => %(rest)s) AS is_resting
    FROM sessions s JOIN accounts a ON a.id = s.account_id JOIN spaces p ON p.domain = a.domain
    WHERE s.id_hash = %(id_hash)s AND s.domain = %(domain)s
        AND coalesce(s.used_at >= now() - make_interval(mins => nullif(%(minutes)s::integer, 0)), true)
        AND (s.id_token IS NULL OR NOT (a.admin AND p.super))
    """,
)
USE = Query("use a session", "UPDATE sessions SET used_at = now() WHERE id_hash = %(id_hash)s")
END = Query("end a session", "DELETE FROM sessions WHERE id_hash = %(id_hash)s RETURNING id_token")
END_OF_ACCOUNT = Query("end the sessions of an account", "DELETE FROM sessions WHERE account_id = %(account_id)s")
CLEAR = Query(
    "clear sessions",
    """
    DELETE FROM sessions WHERE id_hash IN (
        SELECT id_hash FROM sessions WHERE used_at < now() - make_interval(mins => %(minutes)s::integer) LIMIT 10000
    ) RETURNING id_hash
    """,
)
KEY = Query("key of the portal", "SELECT key FROM server_keys WHERE purpose = 'portal'")


async def begin(
    runner: Runner, id_hash: bytes, domain: str, account_id: int, origin: Origin, password: StoredPassword | None = None
) -> bool:
    """Begin a session on the host of a Space; return whether `password` is still the account's."""
    values = {"id_hash": id_hash, "domain": domain, "account_id": account_id}
    values |= {"ip": origin.ip, "user_agent": origin.user_agent}
    if password is None:
        await runner.run(BEGIN, **values)
        return True
    return bool(await runner.run(BEGIN_WITH_PASSWORD, **values, algorithm=password.algorithm, ha1=password.ha1))


async def begin_by_openid(
    runner: Runner, id_hash: bytes, domain: str, account_id: int, origin: Origin, id_token: str
) -> bool:
    """Begin a session on the host of a Space; return whether the account may sign in by an OpenID server."""
    return bool(
        await runner.run(
            BEGIN_BY_OPENID,
            id_hash=id_hash,
            domain=domain,
            account_id=account_id,
            ip=origin.ip,
            user_agent=origin.user_agent,
            id_token=id_token,
        )
    )


async def find(runner: Runner, id_hash: bytes, domain: str, minutes: int) -> Session | None:
    """Return a session on the host of a Space, unless it was unused for `minutes` (0 = however long)."""
    rows = await runner.run(FIND, id_hash=id_hash, domain=domain, minutes=minutes, rest=REST_SECONDS)
    if not rows:
        return None
    row = rows[0]
    return Session(display_name=row.pop("display_name"), is_resting=row.pop("is_resting"), actor=Actor(**row))


async def use(runner: Runner, id_hash: bytes) -> None:
    """Note that a session is used."""
    await runner.run(USE, id_hash=id_hash)


async def end(runner: Runner, id_hash: bytes) -> str | None:
    """End a session; return the ID token that it began with, None if it began otherwise."""
    rows = await runner.run(END, id_hash=id_hash)
    return rows[0]["id_token"] if rows else None


async def end_of_account(runner: Runner, account_id: int) -> None:
    """End every session of an account."""
    await runner.run(END_OF_ACCOUNT, account_id=account_id)


async def clear(runner: Runner, minutes: int) -> int:
    """Forget sessions unused for `minutes`, at most 10,000 at once; return how many."""
    return len(await runner.run(CLEAR, minutes=minutes))


async def key(runner: Runner) -> bytes:
    """Return the secret that all nodes sign forms and messages of the portal with."""
    return bytes((await runner.run(KEY))[0]["key"])
