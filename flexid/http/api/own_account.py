"""A user's own account."""

from __future__ import annotations

from typing import Any

from flexid.domain.account import Account
from flexid.http import answers
from flexid.http.answers import Answer
from flexid.http.api.account_answer import AccountAnswer, show
from flexid.http.call import Call
from flexid.http.inputs import AnyText, Input
from flexid.http.routes import USER, Routes

routes = Routes("/api/accounts/me", title="Own account")


class PasswordInput(Input):
    """A new password; the old one is needed where there is one."""

    password: AnyText
    old_password: AnyText | None = None


@routes.get(caller=USER, hot=True)
async def me(call: Call[Any]) -> AccountAnswer:
    """Show the caller's account."""
    return _show(call, await call.services.own_account.show(call.actor))


@routes.delete(caller=USER)
async def delete(call: Call[Any]) -> int:
    """Delete the caller's account; its name cannot be taken again."""
    return await call.services.own_account.delete(call.actor)


@routes.get("/api_key", caller=USER, answers={200: "text/plain"})
async def api_key(call: Call[Any]) -> Answer:
    """Make an API key, bound to the caller's address; the one before is void."""
    return answers.text(await call.services.own_account.renew_api_key(call.actor, call.origin))


@routes.get("/provision", caller=USER)
async def provision(call: Call[Any]) -> AccountAnswer:
    """Give the caller's account a fresh provisioning token; the one before is void."""
    return _show(call, await call.services.own_account.renew_provisioning_token(call.actor, call.origin))


@routes.post("/password", caller=USER, input=PasswordInput)
async def password(call: Call[PasswordInput]) -> AccountAnswer:
    """Change the password and activate the account."""
    given = call.input
    return _show(
        call,
        await call.services.own_account.change_password(call.actor, given.password, given.old_password, call.origin),
    )


def _show(call: Call[Any], account: Account) -> AccountAnswer:
    return show(account, call.settings.lifetimes)
