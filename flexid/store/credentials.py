"""What signing in with a password needs to know of an account, or of a name that may be none."""

from __future__ import annotations

from attrs import field, frozen

from flexid.domain.account import Actor
from flexid.domain.passwords import StoredPassword
from flexid.store.query import Query, Runner

# One row whether somebody has the name or not: the same work for both.
FIND = Query(
    "find who signs in",
    """
    SELECT a.id AS account_id, a.username, a.domain, a.admin, a.blocked, s.super AS super_space,
        (SELECT json_agg(json_build_array(p.algorithm, p.password) ORDER BY p.algorithm DESC)
         FROM passwords p WHERE p.account_id = a.id) AS passwords
    FROM (SELECT) AS always LEFT JOIN (
        account_names n JOIN accounts a ON a.id = n.account_id JOIN spaces s ON s.domain = a.domain
    ) ON n.domain = %(domain)s AND n.name = %(name)s
    """,
)


@frozen
class Credentials:
    """An account with its stored passwords."""

    actor: Actor
    passwords: tuple[StoredPassword, ...] = field(repr=False)


async def find(runner: Runner, name: str, domain: str) -> Credentials | None:
    """Return the account that has a name in a domain: a username, or a phone number in E.164."""
    row = (await runner.run(FIND, name=name, domain=domain))[0]
    if row["account_id"] is None:
        return None
    passwords = tuple(StoredPassword(*password) for password in row.pop("passwords") or ())
    return Credentials(Actor(**row), passwords)
