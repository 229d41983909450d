"""Account creation request tokens: a person validates one on a page, and it is exchanged for a creation token."""

from __future__ import annotations

from attrs import frozen

from flexid.domain.account import Origin
from flexid.store.query import Query, Runner

CREATE = Query(
    "create an account creation request token",
    """
    INSERT INTO account_creation_request_tokens (domain, token, ip, user_agent)
    VALUES (%(domain)s, %(token)s, %(ip)s, %(user_agent)s)
    """,
)
FIND = Query(
    "find an account creation request token",
    """
    SELECT validated_at IS NOT NULL AS is_validated FROM account_creation_request_tokens
    WHERE token = %(token)s AND domain = %(domain)s AND NOT used
    """,
)
VALIDATE = Query(
    "validate an account creation request token",
    """
    UPDATE account_creation_request_tokens SET validated_at = coalesce(validated_at, now()), updated_at = now()
    WHERE token = %(token)s AND domain = %(domain)s AND NOT used RETURNING id
    """,
)
SPEND = Query(
    "spend an account creation request token",
    """
    UPDATE account_creation_request_tokens SET used = true, updated_at = now()
    WHERE token = %(token)s AND domain = %(domain)s AND NOT used AND validated_at IS NOT NULL RETURNING id
    """,
)
LINK = Query(
    "link an account creation request token",
    """
    UPDATE account_creation_request_tokens r SET account_creation_token_id = c.id
    FROM account_creation_tokens c WHERE r.id = %(id)s AND c.token = %(creation_token)s
    """,
)


@frozen
class RequestToken:
    """A token that was not used yet."""

    is_validated: bool


async def create(runner: Runner, domain: str, token: str, origin: Origin) -> None:
    """Keep a new token of a Space."""
    await runner.run(CREATE, domain=domain, token=token, ip=origin.ip, user_agent=origin.user_agent)


async def find(runner: Runner, token: str, domain: str) -> RequestToken | None:
    """Return a token of a Space; None if it is unknown or used."""
    rows = await runner.run(FIND, token=token, domain=domain)
    return RequestToken(**rows[0]) if rows else None


async def validate(runner: Runner, token: str, domain: str) -> bool:
    """Note that a person has looked at a token of a Space; return whether there is one that was not used."""
    return bool(await runner.run(VALIDATE, token=token, domain=domain))


async def spend(runner: Runner, token: str, domain: str) -> int | None:
    """Use a validated token up and return its id; None if it is unknown, used, or not validated."""
    rows = await runner.run(SPEND, token=token, domain=domain)
    return rows[0]["id"] if rows else None


async def link(runner: Runner, token_id: int, creation_token: str) -> None:
    """Note for which creation token a token was exchanged."""
    await runner.run(LINK, id=token_id, creation_token=creation_token)
