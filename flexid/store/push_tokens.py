"""Tokens that devices get by push: to create an account, or to recover one."""

from __future__ import annotations

from typing import Literal

from flexid.domain.account import Origin
from flexid.domain.push import PushTarget
from flexid.store.query import Query, Runner

Kind = Literal["creation", "recovery"]
"""What a token is for: names of tables are made of it."""
_IS_GOOD = """
    token = %(token)s AND domain = %(domain)s AND NOT used
    AND coalesce(created_at >= now() - make_interval(mins => nullif(%(minutes)s::integer, 0)), true)
"""


def _create(kind: Kind) -> Query:
    return Query(
        f"create an account {kind} token for a device",
        f"""
        INSERT INTO account_{kind}_tokens (domain, token, pn_provider, pn_param, pn_prid, ip, user_agent)
        VALUES (%(domain)s, %(token)s, %(provider)s, %(param)s, %(prid)s, %(ip)s, %(user_agent)s)
        """,
    )


def _delete(kind: Kind) -> Query:
    return Query(
        f"delete an account {kind} token that was not sent",
        f"DELETE FROM account_{kind}_tokens WHERE token = %(token)s AND NOT used",
    )


# A device without an id of its own is nobody in particular.
def _last_use(kind: Kind) -> Query:
    return Query(
        f"when a device last used an account {kind} token",
        f"""
        SELECT ceil(extract(epoch FROM max(updated_at) + make_interval(mins => %(minutes)s::integer) - now()))::integer
            AS seconds
        FROM account_{kind}_tokens
        WHERE pn_prid = %(prid)s AND pn_param IS NOT DISTINCT FROM %(param)s AND pn_provider = %(provider)s
            AND domain = %(domain)s AND used
        """,
    )


CREATE_CREATION, CREATE_RECOVERY = _create("creation"), _create("recovery")
DELETE_CREATION, DELETE_RECOVERY = _delete("creation"), _delete("recovery")
LAST_USE_OF_CREATION, LAST_USE_OF_RECOVERY = _last_use("creation"), _last_use("recovery")

SPEND_RECOVERY = Query(
    "spend an account recovery token",
    f"UPDATE account_recovery_tokens SET used = true, updated_at = now() WHERE {_IS_GOOD} RETURNING id",
)
IS_GOOD_RECOVERY = Query(
    "whether an account recovery token is good", f"SELECT 1 AS found FROM account_recovery_tokens WHERE {_IS_GOOD}"
)


async def create(runner: Runner, kind: Kind, domain: str, token: str, target: PushTarget, origin: Origin) -> None:
    """Keep a token of a Space that is to be sent to a device."""
    await runner.run(
        CREATE_CREATION if kind == "creation" else CREATE_RECOVERY,
        domain=domain,
        token=token,
        provider=target.provider,
        param=target.param,
        prid=target.prid,
        ip=origin.ip,
        user_agent=origin.user_agent,
    )


async def delete(runner: Runner, kind: Kind, token: str) -> None:
    """Forget a token that did not reach its device."""
    await runner.run(DELETE_CREATION if kind == "creation" else DELETE_RECOVERY, token=token)


async def seconds_to_wait(runner: Runner, kind: Kind, domain: str, target: PushTarget, minutes: int) -> int:
    """Return how long a device has to wait for another token after it has used one; 0 or less: not at all."""
    rows = await runner.run(
        LAST_USE_OF_CREATION if kind == "creation" else LAST_USE_OF_RECOVERY,
        domain=domain,
        provider=target.provider,
        param=target.param,
        prid=target.prid,
        minutes=minutes,
    )
    return rows[0]["seconds"] or 0


async def spend_for_recovery(runner: Runner, token: str, domain: str, minutes: int) -> int | None:
    """Use a recovery token up and return its id; None if it is unknown, used, or older than `minutes` (0 = never)."""
    rows = await runner.run(SPEND_RECOVERY, token=token, domain=domain, minutes=minutes)
    return rows[0]["id"] if rows else None


async def is_good_for_recovery(runner: Runner, token: str, domain: str, minutes: int) -> bool:
    """Say whether a recovery token could be spent."""
    return bool(await runner.run(IS_GOOD_RECOVERY, token=token, domain=domain, minutes=minutes))
