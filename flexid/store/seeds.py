"""Accounts written many at a time, with ids that are given."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import field, frozen

from flexid.domain.passwords import StoredPassword
from flexid.store.query import Query, Runner

DELETE = Query(
    "delete accounts to be replaced", "DELETE FROM accounts WHERE id = ANY(%(ids)s::bigint[])", prepare=False
)
TAKEN = Query(
    "which names of seeds are taken",
    """
    SELECT n.name, n.domain, n.kind, n.account_id
    FROM unnest(%(domains)s::text[], %(usernames)s::text[], %(phones)s::text[]) AS s (domain, username, phone)
    JOIN account_names n ON n.domain = s.domain AND n.name IN (s.username, s.phone) LIMIT 1
    """,
    prepare=False,
)
CREATE = Query(
    "create seeded accounts",
    """
    WITH seeded AS (
        INSERT INTO accounts (id, username, domain, email, phone, activated, user_agent)
        SELECT s.*, 'flexid' FROM unnest(%(ids)s::bigint[], %(usernames)s::text[], %(domains)s::text[],
            %(emails)s::text[], %(phones)s::text[], %(activated)s::boolean[]) AS s
    ), hashed AS (
        INSERT INTO passwords (account_id, algorithm, password)
        SELECT * FROM unnest(%(hashed_ids)s::bigint[], %(algorithms)s::text[], %(hashes)s::text[])
    )
    INSERT INTO provisioning_tokens (account_id, token) SELECT * FROM unnest(%(ids)s::bigint[], %(tokens)s::text[])
    """,
    prepare=False,
)
MOVE_SEQUENCE = Query(
    "move the sequence of account ids",
    """
    SELECT setval('accounts_id_seq', greatest((SELECT last_value FROM accounts_id_seq), (SELECT max(id) FROM accounts)))
    """,
    prepare=False,
)


@frozen
class SeededAccount:
    """An account with an id of its own."""

    id: int
    username: str
    domain: str
    email: str
    phone: str | None
    activated: bool
    passwords: tuple[StoredPassword, ...]
    provisioning_token: str = field(repr=False)


@frozen
class Holder:
    """Who holds a name; `account_id` is None where a deleted account left it behind."""

    name: str
    domain: str
    kind: str
    account_id: int | None


async def delete(runner: Runner, ids: Sequence[int]) -> None:
    """Delete accounts with all that belongs to them, and without a tombstone."""
    await runner.run(DELETE, ids=ids)


async def taken(runner: Runner, seeds: Sequence[SeededAccount]) -> Holder | None:
    """Return somebody who holds a name that one of these is to get."""
    rows = await runner.run(
        TAKEN,
        domains=[seed.domain for seed in seeds],
        usernames=[seed.username for seed in seeds],
        phones=[seed.phone for seed in seeds],
    )
    return Holder(**rows[0]) if rows else None


async def create(runner: Runner, seeds: Sequence[SeededAccount]) -> None:
    """Create accounts in one statement.

    :raise ConstraintViolated: an id, a name or an email address is taken, or the Space is full.
    """
    passwords = [(seed.id, password) for seed in seeds for password in seed.passwords]
    await runner.run(
        CREATE,
        ids=[seed.id for seed in seeds],
        usernames=[seed.username for seed in seeds],
        domains=[seed.domain for seed in seeds],
        emails=[seed.email for seed in seeds],
        phones=[seed.phone for seed in seeds],
        activated=[seed.activated for seed in seeds],
        tokens=[seed.provisioning_token for seed in seeds],
        hashed_ids=[account_id for account_id, _ in passwords],
        algorithms=[password.algorithm for _, password in passwords],
        hashes=[password.ha1 for _, password in passwords],
    )


async def move_sequence(runner: Runner) -> None:
    """Let new accounts get ids past the highest one."""
    await runner.run(MOVE_SEQUENCE)
