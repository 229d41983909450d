"""Who visits a page, whether that one may, and whether a form is ours."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from flexid.base.clock import random_token
from flexid.base.text import Text
from flexid.domain.errors import Forbidden
from flexid.http import visits
from flexid.http.call import Call
from flexid.http.guards import UNAUTHORIZED
from flexid.http.routes import PUBLIC, SUPER_ADMIN, USER, Route
from flexid.services.sessions import Signer

ABOUT, BLOCKED, LOGIN = "/about", "/blocked", "/login"
VISITOR_LENGTH = 22
"""128 bits in letters and digits."""
_DEFAULT_PORT = re.compile(":(80|443)$")
# Two slashes, or a backslash that a browser takes for one, would name another host.
_OWN_PATH = re.compile(r"/(?![/\\])[!-\[\]-~]{0,1000}")


class Elsewhere(Exception):  # noqa: N818  # no error: the answer stands on another page
    """The browser has to go to another page."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


async def admit(call: Call[Any], route: Route) -> None:
    """Find out who visits a page, and let in those who may.

    :raise Elsewhere: not without signing in; or the account is blocked, or the Space has no portal.
    :raise Forbidden: not an administrator.
    """
    if not call.space.web_panel and route.path != ABOUT:
        raise Elsewhere(ABOUT)
    await recognise(call)
    if route.caller is PUBLIC:
        return
    viewer = call.visit.viewer
    if viewer is None:
        raise Elsewhere(_login_for(call))
    if viewer.actor.blocked:
        raise Elsewhere(BLOCKED)
    if viewer.actor.domain != call.space.domain and not viewer.super_admin:
        raise Forbidden(UNAUTHORIZED)
    if (route.caller is not USER and not viewer.admin) or (route.caller is SUPER_ADMIN and not viewer.super_admin):
        raise Forbidden(UNAUTHORIZED)
    call.caller = viewer.actor


async def check_form(call: Call[Any], body: Mapping[str, Any]) -> None:
    """Refuse a form that another site, or nobody we know, has sent.

    :raise Forbidden: it does not carry the secret of the browser's own forms.
    """
    origin = call.request.header("origin")
    if origin is not None and _without_default_port(urlsplit(origin).netloc) != _without_default_port(
        call.peer.authority
    ):
        raise Forbidden(Text("This form was sent from another site"))
    token = body.get("csrf_token")
    if not isinstance(token, str) or not hmac.compare_digest(
        token.encode("utf-8", "surrogatepass"), call.visit.csrf_token.encode()
    ):
        raise Forbidden(Text("This form is too old. Go back, load the page again, and send it once more."))


def own_path(text: str | None, otherwise: str) -> str:
    """Return a path on this site, as it may be redirected to; `otherwise` for anything else."""
    return text if text and _OWN_PATH.fullmatch(text) else otherwise


async def recognise(call: Call[Any]) -> None:
    """Find out who visits a page, if anybody we know."""
    visit = call.visit
    signer = await call.services.sessions.signer()
    if visit.session_id and (session := await call.services.sessions.find(call.space, visit.session_id)):
        visit.viewer = session
        visit.csrf_token = signer.sign("form", visit.session_id)
    else:
        if visit.visitor is None:
            visit.visitor = random_token(VISITOR_LENGTH)
            visits.keep(call.request, visits.VISITOR, visit.visitor, secure=call.is_secure)
        visit.csrf_token = signer.sign("form", visit.visitor)
    _read_flash(call, signer)
    if (wished := call.query(visits.LANGUAGE)) in call.templates.languages.installed and wished:
        visit.language = wished
        visits.keep(call.request, visits.LANGUAGE, wished, secure=call.is_secure, seconds=visits.A_YEAR)


def _read_flash(call: Call[Any], signer: Signer) -> None:
    if call.visit.flash_cookie:
        call.visit.flash = visits.unpack(call.visit.flash_cookie, signer)


def _login_for(call: Call[Any]) -> str:
    target = own_path(call.request.uri.decode(errors="replace"), "/")
    return f"{LOGIN}?next={quote(target)}" if call.request.method == b"GET" and target != "/" else LOGIN


def _without_default_port(authority: str) -> str:
    return _DEFAULT_PORT.sub("", authority.lower())
