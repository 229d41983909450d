"""A new password for one's own account."""

from __future__ import annotations

from typing import Any

from flexid.base.text import Text
from flexid.domain.errors import Invalid
from flexid.http.answers import Answer
from flexid.http.call import Call
from flexid.http.inputs import AnyText, Input
from flexid.http.pages import go, page
from flexid.http.portal.login import HOME, begin
from flexid.http.routes import USER, Routes

routes = Routes("/password", title="Password", portal=True)


class PasswordForm(Input):
    """The old password, and the new one twice; an account without a password has no old one."""

    old_password: AnyText | None = None
    password: AnyText
    password_confirmation: AnyText


@routes.get(caller=USER)
async def show(call: Call[Any]) -> Answer:
    """Ask for a new password."""
    account = await call.services.own_account.show(call.actor)
    least = call.settings.accounts.password_min_length
    return page(call, "password/page.html", has_password=bool(account.passwords), least=least)


@routes.post(caller=USER, input=PasswordForm, again=show)
async def change(call: Call[PasswordForm]) -> Answer:
    """Set a new password: every session of the account ends, and this browser goes on with a fresh one."""
    given = call.input
    if given.password != given.password_confirmation:
        raise Invalid.field("password_confirmation", Text("The two passwords are not the same"))
    await call.services.own_account.change_password(call.actor, given.password, given.old_password, call.origin)
    session_id = await call.services.sessions.begin(call.space, call.actor.account_id, call.origin)
    if session_id:
        await begin(call, session_id)
    return await go(call, HOME, Text("Your password is changed. Other browsers are signed out."))
