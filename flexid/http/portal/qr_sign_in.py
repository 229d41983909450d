"""Signing in without typing: this browser shows a code, and a device that is signed in lets it in."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from flexid.base.text import Text
from flexid.domain.errors import NotFound
from flexid.http import answers, visits
from flexid.http.answers import Answer
from flexid.http.call import Call
from flexid.http.pages import go, page
from flexid.http.portal.login import HOME, begin
from flexid.http.portal.provisioning_link import qr_picture
from flexid.http.routes import PUBLIC, USER, Routes

routes = Routes("/authenticate/qrcode", title="Signing in with a QR code", portal=True)

COOKIE = "qrcode"
"""Holds the token of the code that this browser shows: nobody can make another browser sign in as somebody."""


@routes.get(caller=PUBLIC)
async def begin_with_code(call: Call[Any]) -> Answer:
    """Make a code for this browser, or go on with the one that it has."""
    if call.visit.viewer:
        return answers.see_other(HOME)
    token = call.cookie(COOKIE)
    if token is None or not await _is_good(call, token):
        token = (await call.services.auth_tokens.create(call.space, call.origin)).token
        seconds = call.settings.lifetimes.auth_token * 60 or None
        visits.keep(call.request, COOKIE, token, secure=call.is_secure, seconds=seconds)
    return answers.see_other(f"/authenticate/qrcode/{token}")


@routes.get("/{token}", caller=PUBLIC)
async def show(call: Call[Any], token: str) -> Answer:
    """Show the code of this browser, or sign in with it; on a signed-in device, ask whether to let another one in."""
    is_own = call.cookie(COOKIE) == token
    if not is_own and not call.visit.viewer:
        return answers.see_other(f"/login?next={quote(f'/authenticate/qrcode/{token}')}")
    if is_own and not await _is_good(call, token):
        visits.drop(call.request, COOKIE, secure=call.is_secure)
        return answers.see_other("/authenticate/qrcode")
    found = await call.services.auth_tokens.show(call.space, token)
    if not is_own:
        return page(call, "authenticate_qrcode/confirm.html", device=found)
    if found.account_id is None:
        return page(call, "authenticate_qrcode/page.html", token=token, url=_url(call, token))
    session_id = await call.services.auth_tokens.redeem_for_session(call.space, token, call.origin)
    visits.drop(call.request, COOKIE, secure=call.is_secure)
    await begin(call, session_id)
    return answers.see_other(HOME)


@routes.get("/{token}/attached", caller=PUBLIC)
async def is_attached(call: Call[Any], token: str) -> dict[str, bool]:
    """Tell the page whether a device has let it in."""
    found = await call.services.auth_tokens.show(call.space, token)
    return {"attached": found.account_id is not None}


@routes.get("/{token}/image", caller=PUBLIC)
async def picture(call: Call[Any], token: str) -> Answer:
    """Return the code as a picture."""
    return await qr_picture(_url(call, token))


@routes.post("/{token}", caller=USER)
async def let_in(call: Call[Any], token: str) -> Answer:
    """Let the device in that shows the code."""
    await call.services.auth_tokens.attach(call.space, call.actor, token)
    return await go(call, HOME, Text("The other device is signed in."))


async def _is_good(call: Call[Any], token: str) -> bool:
    try:
        await call.services.auth_tokens.show(call.space, token)
    except NotFound:
        return False
    return True


def _url(call: Call[Any], token: str) -> str:
    return f"{call.peer.base_url}/authenticate/qrcode/{token}"
