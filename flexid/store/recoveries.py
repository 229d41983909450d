"""Recoveries: somebody asks for a new password by an address, and may set it once the code has come back.

There is one for addresses that nobody has, too; it only has no codes.
"""

from __future__ import annotations

from attrs import field, frozen

from flexid.domain.account import Origin
from flexid.domain.tokens import AddressKind
from flexid.store.query import Query, Runner

# Counted before it is there itself.
CREATE = Query(
    "create a recovery",
    """
    WITH created AS (
        INSERT INTO recoveries (domain, token_hash, kind, address, language, recovery_token_id, ip, user_agent)
        VALUES (%(domain)s, %(token_hash)s, %(kind)s, %(address)s, %(language)s, %(recovery_token_id)s, %(ip)s,
            %(user_agent)s)
    )
    SELECT count(*) AS before FROM recoveries
    WHERE domain = %(domain)s AND kind = %(kind)s AND lower(address) = lower(%(address)s)
        AND created_at > now() - make_interval(mins => %(minutes)s::integer)
    """,
)
CLAIM = Query(
    "claim a recovery that waits for its codes",
    """
    UPDATE recoveries SET answered_at = now()
    WHERE id = (
        SELECT id FROM recoveries WHERE answered_at IS NULL ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
    ) RETURNING id, domain, kind, address, language, recovery_token_id, ip, user_agent
    """,
)
ACCOUNTS_BY_EMAIL = Query(
    "accounts that an email address recovers",
    """
    SELECT id, username, email AS address FROM accounts
    WHERE domain = %(domain)s AND lower(email) = lower(%(address)s) AND NOT blocked
    ORDER BY id FOR NO KEY UPDATE
    """,
)
ACCOUNTS_BY_PHONE = Query(
    "accounts that a phone number recovers",
    """
    SELECT id, username, phone AS address FROM accounts
    WHERE id IN (SELECT account_id FROM account_names WHERE domain = %(domain)s AND name = %(address)s)
        AND phone = %(address)s AND NOT blocked
    ORDER BY id FOR NO KEY UPDATE
    """,
)
CREATE_CODE = Query(
    "create a recovery code",
    """
    WITH replaced AS (
        UPDATE recovery_codes SET code = NULL, updated_at = now()
        WHERE account_id = %(account_id)s AND code IS NOT NULL RETURNING id
    )
    INSERT INTO recovery_codes (account_id, recovery_id, code, email, phone, ip, user_agent)
    SELECT %(account_id)s, %(recovery_id)s, %(code)s, %(email)s, %(phone)s, %(ip)s, %(user_agent)s
    FROM (SELECT count(*) FROM replaced) AS first
    """,
)
LINK = Query(
    "note which account a recovery token recovers",
    "UPDATE account_recovery_tokens SET account_id = %(account_id)s WHERE id = %(id)s",
)
_IS_OPEN = """
    token_hash = %(token_hash)s AND domain = %(domain)s AND ended_at IS NULL
    AND coalesce(
        coalesce(confirmed_at, created_at) >= now() - make_interval(mins => nullif(%(minutes)s::integer, 0)), true)
"""
FIND = Query(
    "find a recovery",
    f"""
    SELECT address, confirmed_at IS NOT NULL AS is_confirmed FROM recoveries
    WHERE {_IS_OPEN} AND (attempts < %(most_attempts)s OR confirmed_at IS NOT NULL)
    """,
)
# Of many tries at once each waits for the transaction of the one before, and then finds it counted, or confirmed.
TRY = Query(
    "try a recovery code",
    f"""
    UPDATE recoveries SET attempts = attempts + 1
    WHERE {_IS_OPEN} AND confirmed_at IS NULL AND attempts < %(most_attempts)s RETURNING id, attempts
    """,
)
CODES = Query("codes of a recovery", "SELECT code FROM recovery_codes WHERE recovery_id = %(id)s AND code IS NOT NULL")
CONFIRM = Query(
    "confirm a recovery",
    """
    WITH typed AS (
        UPDATE recovery_codes SET code = NULL, confirmed_at = now(), updated_at = now()
        WHERE recovery_id = %(id)s AND code IS NOT NULL
    )
    UPDATE recoveries SET confirmed_at = now() WHERE id = %(id)s
    """,
)
VOID = Query(
    "void the codes of a recovery",
    "UPDATE recovery_codes SET code = NULL, updated_at = now() WHERE recovery_id = %(id)s AND code IS NOT NULL",
)
CONFIRMED = Query(
    "accounts of a confirmed recovery",
    f"""
    SELECT a.id, a.username, coalesce(c.email, c.phone) AS address
    FROM recovery_codes c JOIN accounts a ON a.id = c.account_id
    WHERE c.recovery_id = (SELECT id FROM recoveries WHERE {_IS_OPEN} AND confirmed_at IS NOT NULL)
        AND c.confirmed_at IS NOT NULL AND NOT a.blocked
    ORDER BY a.id
    """,
)
END = Query(
    "end a recovery",
    f"UPDATE recoveries SET ended_at = now() WHERE {_IS_OPEN} AND confirmed_at IS NOT NULL RETURNING id",
)
CLEAR = Query(
    "clear recoveries",
    """
    DELETE FROM recoveries WHERE id IN (
        SELECT id FROM recoveries WHERE created_at < now() - make_interval(mins => %(minutes)s::integer) LIMIT 10000
    ) RETURNING id
    """,
)


@frozen
class Asked:
    """A recovery that waits for its codes."""

    id: int
    domain: str
    kind: AddressKind
    address: str
    language: str
    recovery_token_id: int | None
    origin: Origin


@frozen
class Recoverable:
    """An account that may be given a new password, and the address to which its code goes."""

    id: int
    username: str
    address: str


@frozen
class Opened:
    """A recovery as its browser sees it."""

    address: str
    is_confirmed: bool


@frozen
class Browser:
    """Who goes on with a recovery: what a browser holds, where, and how many minutes a recovery is good for."""

    token_hash: bytes = field(repr=False)
    domain: str
    minutes: int

    def parameters(self) -> dict[str, object]:
        """Return what statements bind."""
        return {"token_hash": self.token_hash, "domain": self.domain, "minutes": self.minutes}


async def create(runner: Runner, token_hash: bytes, asked: Asked, minutes: int) -> int:
    """Keep a recovery (its `id` is not known yet); return how many there were for its address in so many minutes."""
    rows = await runner.run(
        CREATE,
        token_hash=token_hash,
        domain=asked.domain,
        kind=asked.kind,
        address=asked.address,
        language=asked.language,
        recovery_token_id=asked.recovery_token_id,
        ip=asked.origin.ip,
        user_agent=asked.origin.user_agent,
        minutes=minutes,
    )
    return int(rows[0]["before"])


async def claim(runner: Runner) -> Asked | None:
    """Return the oldest recovery that waits for its codes, answered once the transaction commits."""
    rows = await runner.run(CLAIM)
    if not rows:
        return None
    row = rows[0]
    return Asked(origin=Origin(row.pop("ip"), row.pop("user_agent")), **row)


async def accounts(runner: Runner, asked: Asked) -> list[Recoverable]:
    """Return the accounts of an address that are not blocked, locked until the transaction ends."""
    query = ACCOUNTS_BY_EMAIL if asked.kind == "email" else ACCOUNTS_BY_PHONE
    return [Recoverable(**row) for row in await runner.run(query, domain=asked.domain, address=asked.address)]


async def create_code(runner: Runner, asked: Asked, account: Recoverable, code: str) -> None:
    """Keep a code for an account; the pending one, if any, is void."""
    await runner.run(
        CREATE_CODE,
        account_id=account.id,
        recovery_id=asked.id,
        code=code,
        email=account.address if asked.kind == "email" else None,
        phone=account.address if asked.kind == "phone" else None,
        ip=asked.origin.ip,
        user_agent=asked.origin.user_agent,
    )
    if asked.recovery_token_id is not None:
        await runner.run(LINK, id=asked.recovery_token_id, account_id=account.id)


async def find(runner: Runner, browser: Browser, most_attempts: int) -> Opened | None:
    """Return a recovery that can go on."""
    rows = await runner.run(FIND, **browser.parameters(), most_attempts=most_attempts)
    return Opened(**rows[0]) if rows else None


async def attempt(runner: Runner, browser: Browser, most_attempts: int) -> tuple[int, int, list[str]] | None:
    """Count a try at a recovery's code; return its id, the tries so far, and the codes; None if there can be no try.

    Nobody else tries it until the transaction `runner` ends.
    """
    rows = await runner.run(TRY, **browser.parameters(), most_attempts=most_attempts)
    if not rows:
        return None
    codes = await runner.run(CODES, id=rows[0]["id"])
    return rows[0]["id"], rows[0]["attempts"], [row["code"] for row in codes]


async def confirm(runner: Runner, recovery_id: int) -> None:
    """Note that the code was typed; it is void then."""
    await runner.run(CONFIRM, id=recovery_id)


async def void(runner: Runner, recovery_id: int) -> None:
    """Let nobody use the codes any more."""
    await runner.run(VOID, id=recovery_id)


async def confirmed(runner: Runner, browser: Browser) -> list[Recoverable]:
    """Return the accounts whose password may be set, the oldest first."""
    return [Recoverable(**row) for row in await runner.run(CONFIRMED, **browser.parameters())]


async def end(runner: Runner, browser: Browser) -> bool:
    """Use a confirmed recovery up; return whether it could be."""
    return bool(await runner.run(END, **browser.parameters()))


async def clear(runner: Runner, minutes: int) -> int:
    """Forget recoveries older than `minutes`, at most 10,000 at once; return how many."""
    return len(await runner.run(CLEAR, minutes=minutes))
