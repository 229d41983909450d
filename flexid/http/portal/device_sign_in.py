"""A code with which a signed-in browser lets another device in."""

from __future__ import annotations

from typing import Any

from flexid.http import answers
from flexid.http.answers import Answer
from flexid.http.call import Call
from flexid.http.pages import page
from flexid.http.portal.login import HOME
from flexid.http.portal.provisioning_link import qr_picture
from flexid.http.routes import USER, Routes

routes = Routes("/auth_token", title="Signing a device in", portal=True)


@routes.get(caller=USER)
async def explain(call: Call[Any]) -> Answer:
    """Offer a code."""
    return page(call, "auth_token/page.html", url=None, image=None, minutes=call.settings.lifetimes.auth_token)


@routes.post(caller=USER)
async def create(call: Call[Any]) -> Answer:
    """Make a code, attached to the account of whoever is signed in."""
    token = await call.services.auth_tokens.create_attached(call.space, call.actor, call.origin)
    return answers.see_other(f"/auth_token/{token}")


@routes.get("/{token}", caller=USER)
async def show(call: Call[Any], token: str) -> Answer:
    """Show a code of one's own as long as nobody has used it."""
    found = await call.services.auth_tokens.show(call.space, token)
    if found.account_id != call.actor.account_id:
        return answers.see_other(HOME)
    return page(
        call,
        "auth_token/page.html",
        url=_url(call, token),
        image=f"/auth_token/{token}/qrcode",
        minutes=call.settings.lifetimes.auth_token,
    )


@routes.get("/{token}/qrcode", caller=USER)
async def picture(call: Call[Any], token: str) -> Answer:
    """Return the code as a picture."""
    return await qr_picture(_url(call, token))


def _url(call: Call[Any], token: str) -> str:
    return f"{call.peer.base_url}/provisioning/auth_token/{token}"
