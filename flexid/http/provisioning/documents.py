"""The provisioning documents, and QR codes of their addresses."""

from __future__ import annotations

from typing import Any

from twisted.internet.threads import deferToThread

from flexid.base import qr
from flexid.base.text import Text
from flexid.domain.errors import Malformed
from flexid.domain.hooks import HookRequest
from flexid.http import answers
from flexid.http.answers import Answer
from flexid.http.call import Call
from flexid.http.routes import PUBLIC, USER, Parameter, Routes
from flexid.services.provisioning import Asked

routes = Routes("/provisioning", title="Remote provisioning")

HEADER = "x-linphone-provisioning"
FROM_LINPHONE = Parameter(HEADER, "Any value: it tells a Linphone from a crawler.", place="header", required=True)
RESET = Parameter("reset_password", "If it is there, with any value or none: the account gets a new random password.")
DOCUMENT = {200: answers.XML}


def _refuse_crawlers(call: Call[Any]) -> None:
    """Refuse whoever is no Linphone: a link preview must not use a token up."""
    if not call.request.has_header(HEADER):
        raise Malformed(Text("x-linphone-provisioning header is missing"))


def _resets_password(call: Call[Any]) -> bool:
    return call.query("reset_password") is not None


def _asked(call: Call[Any]) -> Asked:
    return Asked(call.peer.base_url, _resets_password(call), lambda: _for_hooks(call))


def _for_hooks(call: Call[Any]) -> HookRequest:
    headers = {
        name.decode(errors="replace").lower(): b", ".join(values).decode(errors="replace")
        for name, values in call.request.requestHeaders.getAllRawHeaders()
    }
    path = call.request.path.decode(errors="replace")
    return HookRequest(call.space.host, path, call.origin.ip, call.origin.user_agent, headers)


@routes.get(caller=PUBLIC, before=_refuse_crawlers, hot=True, parameters=(FROM_LINPHONE,), answers=DOCUMENT)
async def base(call: Call[Any]) -> Answer:
    """Return the document of the Space, without an account."""
    return answers.document(await call.services.provisioning.base(call.known, _asked(call)))


@routes.get(
    "/me",
    caller=USER,
    before=_refuse_crawlers,
    hot=True,
    certificates=True,
    parameters=(FROM_LINPHONE, RESET),
    answers=DOCUMENT,
)
async def me(call: Call[Any]) -> Answer:
    """Return the document of the caller's account, as often as wanted."""
    return answers.document(await call.services.provisioning.own(call.known, call.actor, _asked(call)))


@routes.get(
    "/{token}",
    caller=PUBLIC,
    before=_refuse_crawlers,
    hot=True,
    parameters=(FROM_LINPHONE, RESET),
    answers=DOCUMENT,
)
async def redeem(call: Call[Any], token: str) -> Answer:
    """Return the document of the account whose token this is; the token is used up and the account activated.

    410 if the token is too old.
    """
    if call.request.method == b"HEAD":
        await call.services.provisioning.refuse_unless_current(call.space, token)
        return answers.document(b"")
    return answers.document(await call.services.provisioning.redeem(call.known, token, _asked(call)))


@routes.get("/auth_token/{token}", caller=PUBLIC, parameters=(RESET,), answers=DOCUMENT)
async def redeem_auth_token(call: Call[Any], token: str) -> Answer:
    """Return the document of the account that was attached to an auth token; the token is gone."""
    if call.request.method == b"HEAD":
        await call.services.auth_tokens.refuse_unless_attached(call.space, token)
        return answers.document(b"")
    return answers.document(await call.services.provisioning.redeem_auth_token(call.known, token, _asked(call)))


@routes.get("/qrcode/{token}", caller=PUBLIC, parameters=(RESET,), answers={200: ("image/png", "image/svg+xml")})
async def qrcode(call: Call[Any], token: str) -> Answer:
    """Return a QR code of the provisioning address, as PNG or, if that is accepted, SVG; the token is not used up.

    410 if the token is too old.
    """
    await call.services.provisioning.refuse_unless_current(call.space, token)
    url = f"{call.peer.base_url}/provisioning/{token}" + ("?reset_password=1" if _resets_password(call) else "")
    wants_svg = "image/svg+xml" in (call.request.header("accept") or "")
    image = await deferToThread(qr.svg if wants_svg else qr.png, url)
    headers = {"X-Qrcode-URL": url, "Cache-Control": "no-store", "Vary": "Accept"}
    return Answer(image, "image/svg+xml" if wants_svg else "image/png", headers=headers)
