"""Signing in at the OpenID server of a Space."""

from __future__ import annotations

from typing import Any

from flexid.base.clock import random_token
from flexid.domain.errors import Blocked, DomainError, Unavailable
from flexid.domain.oidc_attempt import LAST_MINUTES, SECRET_LENGTH, Returned
from flexid.http import answers, visits
from flexid.http.answers import Answer
from flexid.http.call import Call
from flexid.http.pages import go
from flexid.http.portal.admission import BLOCKED, LOGIN, own_path
from flexid.http.portal.login import HOME, begin, login
from flexid.http.routes import PUBLIC, Routes

routes = Routes("", title="Signing in at an OpenID server", portal=True)

COOKIE = "oidc"
"""Tells the browser that began from any other: nobody can make another browser sign in as somebody."""
RETURN = "/login/oidc/redirect"


@routes.get("/login/oidc", caller=PUBLIC, again=login)
async def leave(call: Call[Any]) -> Answer:
    """Send the browser to the OpenID server."""
    wanted = own_path(call.query("next"), "")
    if call.visit.viewer:
        return answers.see_other(wanted or HOME)
    browser = call.cookie(COOKIE) or random_token(SECRET_LENGTH)
    redirect_uri = f"{call.peer.base_url_of(call.space.host)}{RETURN}"
    url = await call.services.oidc_sign_in.begin(
        call.space, browser, redirect_uri, wanted, call.language, call.origin.ip
    )
    visits.keep(call.request, COOKIE, browser, secure=call.is_secure, seconds=LAST_MINUTES * 60)
    return answers.see_other(url)


@routes.get(RETURN, caller=PUBLIC, again=login)
async def come_back(call: Call[Any]) -> Answer:
    """Sign in whom the OpenID server names, or say on the page for signing in why nobody is."""
    names = ("state", "code", "iss", "error", "error_description")
    state, code, issuer, error, error_description = (call.query(name) for name in names)
    returned = Returned(state or "", code, issuer, error, error_description)
    try:
        signed_in = await call.services.oidc_sign_in.finish(
            call.space, call.cookie(COOKIE) or "", returned, call.origin
        )
    except Blocked:
        return answers.see_other(BLOCKED)
    except DomainError as refusal:
        if isinstance(refusal, Unavailable) and not call.visit.viewer:
            raise
        return await go(call, LOGIN, refusal.reason, "bad")
    visits.drop(call.request, COOKIE, secure=call.is_secure)
    await begin(call, signed_in.session_id)
    return answers.see_other(signed_in.wanted or HOME)
