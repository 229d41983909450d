"""Deleting an account for good."""

from __future__ import annotations

from typing import Any

from flexid.base.text import Text
from flexid.http import answers
from flexid.http.answers import Answer
from flexid.http.call import Call
from flexid.http.pages import go
from flexid.http.portal import own_deletion
from flexid.http.portal.account_forms import refuse_oneself
from flexid.http.portal.account_page import list_of, page_of
from flexid.http.portal.own_deletion import DeletionForm, confirm
from flexid.http.routes import ADMIN, Routes

routes = Routes("/admin/accounts/{account_id}", title="Deleting an account", portal=True)


@routes.get("/delete", caller=ADMIN)
async def ask(call: Call[Any], account_id: int) -> Answer:
    """Ask whether that is really meant; of one's own account, where that is asked."""
    if account_id == call.actor.account_id:
        return answers.see_other(own_deletion.routes.prefix)
    return page_of(call, "delete", await call.services.accounts.show(call.actor, account_id))


@routes.delete(caller=ADMIN, input=DeletionForm, again=ask)
async def delete(call: Call[DeletionForm], account_id: int) -> Answer:
    """Delete an account and what belongs to it; its name cannot be taken again."""
    refuse_oneself(call.actor, account_id)
    account = await call.services.accounts.show(call.actor, account_id)
    confirm(call.input.identifier, account.username, account.domain)
    await call.services.accounts.delete(call.actor, account_id)
    text = Text("Account {username} deleted. Nobody can take its name again.", username=account.username)
    return await go(call, list_of(call, account), text)
