"""What Digest needs to know of an account, or of a name that may be none."""

from __future__ import annotations

from datetime import datetime

from attrs import field, frozen

from flexid.domain.account import Actor
from flexid.domain.passwords import StoredPassword
from flexid.store.query import Query, Row, Runner
from flexid.store.throttles import Windows

_ACCOUNT = """
    a.id AS account_id, a.username, a.domain, a.admin, a.blocked, s.super AS super_space,
    (SELECT json_agg(json_build_array(p.algorithm, p.password) ORDER BY p.algorithm DESC)
     FROM passwords p WHERE p.account_id = a.id) AS passwords
"""
_EPOCH = "(SELECT epoch::text FROM nonce_epochs) AS epoch"
_NAMED = """
    LEFT JOIN (accounts a JOIN spaces s ON s.domain = a.domain)
        ON a.username = %(username)s AND a.domain = %(domain)s
"""

# One row whether there is such an account or not: the same work for both.
FIND = Query("find credentials", f"SELECT {_EPOCH}, {_ACCOUNT} FROM (SELECT) AS always {_NAMED}")
FIND_AND_COUNT = Query(
    "find credentials and failures",
    f"""
    SELECT {_EPOCH}, counted.hits, {_ACCOUNT},
        (SELECT n.used_at FROM nonces n WHERE n.opaque = %(opaque)s AND n.account_id = a.id) AS nonce_used_at
    FROM (
        SELECT array_agg(coalesce(c.hits, 0) ORDER BY u.position) AS hits
        FROM unnest(%(names)s::text[], %(subjects)s::text[], %(starts)s::timestamptz[]) WITH ORDINALITY
            AS u (limit_name, subject, window_start, position)
        LEFT JOIN throttle_counters c USING (limit_name, subject, window_start)
    ) AS counted {_NAMED}
    """,
)
# A sample is enough to draw decoys from, and costs the same in a Space of a hundred and of a million accounts.
PROPORTIONS = Query(
    "proportions of password algorithms",
    """
    SELECT algorithms, count(*) AS accounts FROM (
        SELECT (SELECT string_agg(p.algorithm, ',' ORDER BY p.algorithm DESC)
                FROM passwords p WHERE p.account_id = a.id) AS algorithms
        FROM (SELECT id FROM accounts WHERE domain = %(domain)s ORDER BY id LIMIT 1000) a
    ) AS sample WHERE algorithms IS NOT NULL GROUP BY algorithms ORDER BY algorithms
    """,
)


@frozen
class DigestAccount:
    """An account that may answer a challenge; `nonce_used_at` tells when the nonce at hand was last used."""

    actor: Actor
    passwords: tuple[StoredPassword, ...] = field(repr=False)
    nonce_used_at: datetime | None


@frozen
class Found:
    """What there is under a name; `epoch` tells the nonces of today from those before a crash, None right after one."""

    account: DigestAccount | None
    epoch: str | None
    hits: list[int]


async def find(runner: Runner, username: str, domain: str) -> Found:
    """Return an account's credentials."""
    return _from_row((await runner.run(FIND, username=username, domain=domain))[0])


async def find_and_count(runner: Runner, username: str, domain: str, opaque: str, windows: Windows) -> Found:
    """Return an account's credentials, with when the nonce of `opaque` was last used, and the counts of windows."""
    names, subjects, starts, _ = ([window[place] for window in windows] for place in range(4))
    rows = await runner.run(
        FIND_AND_COUNT, username=username, domain=domain, opaque=opaque, names=names, subjects=subjects, starts=starts
    )
    return _from_row(rows[0])


async def proportions(runner: Runner, domain: str) -> dict[tuple[str, ...], int]:
    """Return how many accounts of a domain have which stored algorithms, by a sample."""
    rows = await runner.run(PROPORTIONS, domain=domain)
    return {tuple(row["algorithms"].split(",")): row["accounts"] for row in rows}


def _from_row(row: Row) -> Found:
    epoch, hits = row.pop("epoch"), row.pop("hits", [])
    if row["account_id"] is None:
        return Found(None, epoch, hits)
    passwords = tuple(StoredPassword(*password) for password in row.pop("passwords") or ())
    nonce_used_at = row.pop("nonce_used_at", None)
    return Found(DigestAccount(Actor(**row), passwords, nonce_used_at), epoch, hits)
