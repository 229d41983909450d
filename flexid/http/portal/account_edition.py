"""Changing an account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flexid.base.text import Text
from flexid.domain.account import Account
from flexid.domain.errors import Invalid
from flexid.http.answers import Answer
from flexid.http.api import accounts as api
from flexid.http.call import Call
from flexid.http.pages import go
from flexid.http.portal.account_forms import EDITABLE, AccountChangeForm, changed, snapshot, tidy
from flexid.http.portal.account_page import page_of, path_of
from flexid.http.portal.login import begin
from flexid.http.routes import ADMIN, Routes

routes = Routes("/admin/accounts/{account_id}", title="Editing an account", portal=True)


async def faults(call: Call[Any], values: Mapping[str, Any], account_id: int) -> Mapping[str, list[Text]]:
    """Return what is wrong with the readable fields that were changed."""
    typed = changed(tidy(values), values.get("seen", ""))
    return await api.faults_of_change(call, typed, account_id)


@routes.get("/edit", caller=ADMIN)
async def edit(call: Call[Any], account_id: int) -> Answer:
    """Show what can be changed."""
    account = await call.services.accounts.show(call.actor, account_id)
    return page_of(
        call,
        "edit",
        account,
        values={name: value for name in EDITABLE if (value := getattr(account, name)) is not None},
        seen=call.typed.get("seen") or snapshot(account),
        least=call.settings.accounts.password_min_length,
    )


@routes.put(caller=ADMIN, input=AccountChangeForm, refusals=faults, again=edit)
async def change(call: Call[AccountChangeForm], account_id: int) -> Answer:
    """Change what was changed in the form."""
    changes, password = call.input.changes(), call.input.password
    is_own = account_id == call.actor.account_id
    for name in ("admin", "activated"):
        if is_own and changes.get(name) is False:
            raise Invalid.field(name, Text("This is your own account. Another administrator can do that."))
    account = await call.services.accounts.change(call.actor, account_id, changes, password)
    if is_own and (password or "username" in changes):
        await _sign_in_again(call, account)
    return await go(call, path_of(account_id), Text("Account {username} saved.", username=account.username))


async def _sign_in_again(call: Call[Any], account: Account) -> None:
    """Let the administrator go on, whose session ended with the old name or password."""
    session_id = await call.services.sessions.begin(call.space, account.id, call.origin)
    if session_id:
        await begin(call, session_id)
