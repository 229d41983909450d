"""Giving one's own account up."""

from __future__ import annotations

from typing import Any

from flexid.base.text import Text
from flexid.domain.errors import Invalid
from flexid.http import visits
from flexid.http.answers import Answer
from flexid.http.call import Call
from flexid.http.inputs import AnyText, Input
from flexid.http.pages import go, page
from flexid.http.routes import USER, Routes

routes = Routes("/delete", title="Deleting one's account", portal=True)


class DeletionForm(Input):
    """The address of the account, typed."""

    identifier: AnyText


@routes.get(caller=USER)
async def ask(call: Call[Any]) -> Answer:
    """Ask whether that is really meant."""
    return page(call, "delete/page.html")


@routes.delete(caller=USER, input=DeletionForm, again=ask)
async def delete(call: Call[DeletionForm]) -> Answer:
    """Delete the account of whoever is signed in, and its sessions."""
    confirm(call.input.identifier, call.actor.username, call.actor.domain)
    await call.services.own_account.delete(call.actor)
    visits.drop(call.request, visits.SESSION, secure=call.is_secure)
    return await go(call, "/login", Text("Your account is deleted."))


def confirm(typed: str, username: str, domain: str) -> None:
    """Refuse unless just this address was typed.

    :raise Invalid: another one was.
    """
    identifier = f"{username}@{domain}"
    if typed.strip().removeprefix("sip:") != identifier:
        raise Invalid.field("identifier", Text("This is not {identifier}", identifier=identifier))
