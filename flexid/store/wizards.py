"""Wizards. One that sets up an account is found in that account's domain only, any other in every domain."""

from __future__ import annotations

from attrs import frozen

from flexid.domain.sip_address import SipAddress
from flexid.domain.wizard import Intent
from flexid.store.query import Query, Row, Runner

CREATE = Query(
    "create a wizard",
    """
    INSERT INTO wizards (token, account_id, provisioning_account_id, sip, linphone_action, linphone_use_sips)
    VALUES (%(token)s, %(account_id)s, %(provisioning_account_id)s, %(sip)s, %(action)s, %(use_sips)s)
    """,
)
_OPEN = """
    SELECT w.sip, w.linphone_action, w.linphone_use_sips, w.provisioning_token AS handed_out,
        p.id AS account_id, p.username, p.domain, t.token AS current_token
    FROM wizards w LEFT JOIN accounts p ON p.id = w.provisioning_account_id
    LEFT JOIN provisioning_tokens t ON t.account_id = p.id AND t.used_at IS NULL
        AND coalesce(t.created_at >= now() - make_interval(mins => nullif(%(minutes)s::integer, 0)), true)
    WHERE w.token = %(token)s AND w.used_at IS NULL AND (p.id IS NULL OR (p.domain = %(domain)s AND NOT p.blocked))
"""
FIND = Query("find a wizard", _OPEN)
LOCK = Query("lock a wizard", f"{_OPEN} FOR UPDATE OF w")
HAND_OUT = Query(
    "hand a wizard's provisioning token out",
    "UPDATE wizards SET provisioning_token = %(provisioning_token)s, updated_at = now() WHERE token = %(token)s",
)
USE = Query(
    "use a wizard up",
    """
    UPDATE wizards SET used_at = now(), updated_at = now()
    WHERE token = %(token)s AND used_at IS NULL AND provisioning_account_id IS NULL
    RETURNING sip, linphone_action, linphone_use_sips
    """,
)


@frozen
class FoundWizard:
    """A wizard that was not used up by a press, with the account that it sets up.

    `handed_out` is the provisioning token that its visitors were given, `current_token` the one that the account could
    be set up with now; they differ where the one was redeemed or renewed.
    """

    intent: Intent
    account_id: int | None
    account: SipAddress | None
    handed_out: str | None
    current_token: str | None


async def create(
    runner: Runner, token: str, account_id: int, provisioning_account_id: int | None, intent: Intent
) -> None:
    """Keep a wizard that `account_id` has made.

    :raise ReferenceGone: one of the accounts was deleted meanwhile.
    """
    await runner.run(
        CREATE,
        token=token,
        account_id=account_id,
        provisioning_account_id=provisioning_account_id,
        sip=intent.sip,
        action=intent.action,
        use_sips=intent.use_sips,
    )


async def find(runner: Runner, token: str, domain: str, minutes: int) -> FoundWizard | None:
    """Return a wizard; provisioning tokens older than `minutes` count for nothing, 0 = none is too old."""
    return _one(await runner.run(FIND, token=token, domain=domain, minutes=minutes))


async def lock(runner: Runner, token: str, domain: str, minutes: int) -> FoundWizard | None:
    """Return a wizard as `find` does, and let nobody else hand anything out until the transaction ends."""
    return _one(await runner.run(LOCK, token=token, domain=domain, minutes=minutes))


async def hand_out(runner: Runner, token: str, provisioning_token: str) -> None:
    """Note what visitors of a wizard are given."""
    await runner.run(HAND_OUT, token=token, provisioning_token=provisioning_token)


async def use(runner: Runner, token: str) -> Intent | None:
    """Use up a wizard without account, and return what it was for; None if that was done already."""
    rows = await runner.run(USE, token=token)
    return _intent(rows[0]) if rows else None


def _one(rows: list[Row]) -> FoundWizard | None:
    if not rows:
        return None
    row = rows[0]
    account = SipAddress(row["username"], row["domain"]) if row["account_id"] is not None else None
    return FoundWizard(_intent(row), row["account_id"], account, row["handed_out"], row["current_token"])


def _intent(row: Row) -> Intent:
    return Intent(row["sip"], row["linphone_action"], row["linphone_use_sips"])
