"""Accounts that people make by themselves, until they have confirmed an address."""

from __future__ import annotations

from attrs import field, frozen

from flexid.domain.passwords import StoredPassword
from flexid.domain.tokens import AddressKind
from flexid.store.query import Query, Runner

CREATE = Query(
    "create a registration",
    """
    INSERT INTO registrations
        (account_id, token_hash, kind, address, newsletter, username, realm, algorithm, password)
    VALUES (%(account_id)s, %(token_hash)s, %(kind)s, %(address)s, %(newsletter)s, %(username)s, %(realm)s,
        %(algorithm)s, %(ha1)s)
    """,
)
FIND = Query(
    "find a registration",
    """
    SELECT r.account_id, r.kind, r.address, r.newsletter, r.username
    FROM registrations r JOIN accounts a ON a.id = r.account_id
    WHERE r.token_hash = %(token_hash)s AND a.domain = %(domain)s AND NOT a.activated
        AND coalesce(r.created_at >= now() - make_interval(mins => nullif(%(minutes)s::integer, 0)), true)
    """,
)
# A name that somebody has chosen and never confirmed is free again when the time for that is over, and at once for the
# same browser: whoever has mistyped the address goes back and types it once more.
MAKE_WAY = Query(
    "drop registrations that are in the way",
    """
    DELETE FROM accounts WHERE NOT activated AND id IN (
        SELECT account_id FROM registrations WHERE token_hash = %(token_hash)s
        UNION ALL
        SELECT a.id FROM accounts a JOIN registrations r ON r.account_id = a.id
        WHERE a.domain = %(domain)s AND a.username = %(username)s
            AND r.created_at < now() - make_interval(mins => nullif(%(minutes)s::integer, 0))
    )
    """,
)
CLEAR = Query(
    "clear registrations",
    """
    DELETE FROM accounts WHERE NOT activated AND id IN (
        SELECT account_id FROM registrations
        WHERE created_at < now() - make_interval(mins => %(minutes)s::integer) LIMIT 1000
    ) RETURNING id
    """,
)


@frozen
class Registration:
    """An account that waits for its code; `address` is where that was sent."""

    account_id: int
    kind: AddressKind
    address: str
    newsletter: bool
    username: str


@frozen
class Choice:
    """What the account is to sign in with once it is activated, and the realm that this holds for."""

    realm: str
    password: StoredPassword = field(repr=False)


async def create(runner: Runner, token_hash: bytes, registration: Registration, choice: Choice) -> None:
    """Keep what somebody has chosen for a new account."""
    await runner.run(
        CREATE,
        token_hash=token_hash,
        account_id=registration.account_id,
        kind=registration.kind,
        address=registration.address,
        newsletter=registration.newsletter,
        username=registration.username,
        realm=choice.realm,
        algorithm=choice.password.algorithm,
        ha1=choice.password.ha1,
    )


async def find(runner: Runner, token_hash: bytes, domain: str, minutes: int) -> Registration | None:
    """Return the registration of a browser in a Space, unless it is older than `minutes` (0 = however old)."""
    rows = await runner.run(FIND, token_hash=token_hash, domain=domain, minutes=minutes)
    return Registration(**rows[0]) if rows else None


async def make_way(runner: Runner, token_hash: bytes, domain: str, username: str, minutes: int) -> None:
    """Delete what the same browser began before, and an account of this name that was not confirmed in time."""
    await runner.run(MAKE_WAY, token_hash=token_hash, domain=domain, username=username, minutes=minutes)


async def clear(runner: Runner, minutes: int) -> int:
    """Delete accounts that were not confirmed in so many minutes, at most 1,000 at once; return how many."""
    return len(await runner.run(CLEAR, minutes=minutes))
