"""Signing in and out."""

from __future__ import annotations

from typing import Any

from flexid.base.text import Text
from flexid.domain.errors import Blocked
from flexid.http import answers, visits
from flexid.http.answers import Answer
from flexid.http.call import Call
from flexid.http.inputs import AnyText, Input
from flexid.http.pages import go, page, page_for_strangers, tell
from flexid.http.portal.admission import BLOCKED, own_path
from flexid.http.portal.welcome import welcome
from flexid.http.routes import PUBLIC, Routes

routes = Routes("", title="Signing in", portal=True)

HOME = "/dashboard"
SIGNED_OUT = Text("You are signed out.")
SIGNED_OUT_HERE = Text("You are signed out here. At the sign-in service you may still be signed in.")


class LoginForm(Input):
    """A name and a password."""

    username: AnyText
    password: AnyText
    next: AnyText | None = None


@routes.get("/", caller=PUBLIC)
async def front_door(call: Call[Any]) -> Answer:
    """Send a visitor to the first page."""
    return answers.see_other(HOME if call.visit.viewer else "/login")


@routes.get("/login", caller=PUBLIC, hot=True)
async def login(call: Call[Any]) -> Answer:
    """Ask who somebody is."""
    if call.visit.viewer:
        return answers.see_other(own_path(call.query("next"), HOME))
    wanted = own_path(call.typed.get("next") or call.query("next"), "")
    shown = page if wanted else page_for_strangers
    count = await call.services.account_count.shown(call.space)
    return shown(call, "login/page.html", welcome_html=welcome(call.space), next=wanted, account_count=count)


@routes.post("/login", caller=PUBLIC, input=LoginForm, again=login)
async def sign_in(call: Call[LoginForm]) -> Answer:
    """Sign somebody in with a fresh session."""
    given = call.input
    try:
        session_id = await call.services.sign_in.by_password(call.space, given.username, given.password, call.origin)
    except Blocked:
        return answers.see_other(BLOCKED)
    await begin(call, session_id)
    return answers.see_other(own_path(given.next, HOME))


@routes.post("/logout", caller=PUBLIC)
async def logout(call: Call[Any]) -> Answer:
    """End the session, and the one at the OpenID server that it began with."""
    id_token = None
    if call.visit.session_id:
        id_token = await call.services.sessions.end(call.visit.session_id)
        visits.drop(call.request, visits.SESSION, secure=call.is_secure)
    if id_token is None:
        return await go(call, "/login", SIGNED_OUT)
    back = f"{call.peer.base_url_of(call.space.host)}/login"
    url = await call.services.oidc_sign_in.farewell(call.space, id_token, back)
    if url is None:
        return await go(call, "/login", SIGNED_OUT_HERE, "warn")
    call.visit.viewer = call.visit.flash = None
    await tell(call, SIGNED_OUT)
    # No redirection: a browser follows none to another site that comes of a form of ours, since our policy names that.
    return page(call, "login/leaving.html", url=url)


async def begin(call: Call[Any], session_id: str) -> None:
    """Give the browser its new session; the one that it had is over."""
    if call.visit.session_id:
        await call.services.sessions.end(call.visit.session_id)
    visits.keep(call.request, visits.SESSION, session_id, secure=call.is_secure)
