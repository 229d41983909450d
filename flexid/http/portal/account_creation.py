"""New accounts, by administrators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flexid.base.text import Text
from flexid.domain.account import NewAccount
from flexid.domain.errors import Forbidden, Invalid
from flexid.domain.space import Space
from flexid.http.answers import Answer
from flexid.http.api import accounts as api
from flexid.http.call import Call
from flexid.http.pages import go, page
from flexid.http.portal.account_forms import AccountForm, tidy
from flexid.http.routes import ADMIN, Routes

routes = Routes("/admin/accounts/create", title="New account", portal=True)

FULL = Text("There is no room for another account")


async def faults(call: Call[Any], values: Mapping[str, Any]) -> Mapping[str, Sequence[Text]]:
    """Return what is wrong with the readable fields of a new account."""
    space = await chosen_space(call, values.get("domain"))
    return await api.faults_of_new(call, {**tidy(values), "domain": space.domain})


@routes.get(caller=ADMIN)
async def ask(call: Call[Any]) -> Answer:
    """Ask what the account is to be like."""
    space = await chosen_space(call, call.typed.get("domain") or call.query("domain"))
    return page(
        call,
        "admin_accounts/create.html",
        chosen=space,
        spaces=await call.services.spaces.every() if call.actor.super_admin else [],
        is_full=await _is_full(call, space),
        least=call.settings.accounts.password_min_length,
    )


@routes.post(caller=ADMIN, input=AccountForm, refusals=faults, again=ask)
async def create(call: Call[AccountForm]) -> Answer:
    """Create the account, and show the code that sets a phone up for it."""
    given = call.input
    space = await chosen_space(call, given.domain)
    new = NewAccount(**given.model_dump(exclude={"password", "domain"}), domain=space.domain)
    made_by = call.origin.user_agent or space.name
    try:
        account = await call.services.accounts.create(space, new, given.password, call.origin, made_by)
    except Forbidden:
        raise Invalid.field("domain", FULL) from None
    return await go(
        call,
        f"/admin/accounts/{account.id}",
        Text("Account {username} created. Scan the code below to set up its phone.", username=account.username),
    )


async def chosen_space(call: Call[Any], domain: str | None) -> Space:
    """Return the Space that a super administrator names by its domain; else the one of the host."""
    if domain and call.actor.super_admin and (known := await call.services.directory.by_domain(domain.lower())):
        return known.space
    return call.space


async def _is_full(call: Call[Any], space: Space) -> bool:
    try:
        await call.services.accounts.refuse_if_full(space)
    except Forbidden:
        return True
    return False
