"""A new password, by the link of a mail."""

from __future__ import annotations

from typing import Any

from flexid.base.text import Text
from flexid.domain.errors import Invalid
from flexid.http.answers import Answer
from flexid.http.call import Call
from flexid.http.inputs import AnyText, Input, Text64
from flexid.http.pages import go, page
from flexid.http.routes import PUBLIC, Routes

routes = Routes("/reset_password", title="New password by mail", portal=True)


class ResetForm(Input):
    """The token of the link, and the new password twice."""

    token: Text64
    password: AnyText
    password_confirmation: AnyText


async def show_again(call: Call[Any]) -> Answer:
    """Ask once more, if the link is still good."""
    return await _form(call, call.typed.get("token", ""))


@routes.get("/{token}", caller=PUBLIC)
async def show(call: Call[Any], token: str) -> Answer:
    """Ask for a new password; looking at the page does not use the link up."""
    return await _form(call, token)


@routes.post(caller=PUBLIC, input=ResetForm, again=show_again)
async def reset(call: Call[ResetForm]) -> Answer:
    """Set the password, once."""
    given = call.input
    if given.password != given.password_confirmation:
        raise Invalid.field("password_confirmation", Text("The two passwords are not the same"))
    await call.services.password_resets.redeem(call.space, given.token, given.password)
    return await go(call, "/login", Text("Your password is changed. You can sign in with it now."))


async def _form(call: Call[Any], token: str) -> Answer:
    username = await call.services.password_resets.show(call.space, token)
    least = call.settings.accounts.password_min_length
    return page(call, "reset_password/page.html", token=token, username=username, least=least)
