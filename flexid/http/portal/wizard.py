"""The wizard: a page that opens Linphone, with an account to set up or something to do."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flexid.domain.platforms import platform_of
from flexid.domain.sip_address import SipAddress, parse
from flexid.domain.wizard import ACTIONS, Intent, OpenWizard
from flexid.http.answers import Answer
from flexid.http.call import Call
from flexid.http.pages import page
from flexid.http.portal.provisioning_link import qr_picture
from flexid.http.routes import PUBLIC, Routes

routes = Routes("/wizard", title="Wizard", portal=True)

STORES = {
    "android": "https://play.google.com/store/apps/details?id=org.linphone",
    "ios": "https://apps.apple.com/app/linphone/id360065638",
    "desktop": "https://www.linphone.org/",
}
"""Where Linphone is to be had."""
SIP, ACTION, USE_SIPS = "sip", "linphone-action", "linphone-use-sips"


@routes.get(caller=PUBLIC)
async def without_token(call: Call[Any]) -> Answer:
    """Open Linphone for what the query says."""
    intent = _intent_of(call)
    return _shown(call, intent, link=intent.link(), picture=f"/wizard/qrcode{_query_of(intent)}")


@routes.get("/qrcode", caller=PUBLIC)
async def picture_without_token(call: Call[Any]) -> Answer:
    """Return the address of that page as a picture."""
    return await qr_picture(f"{call.peer.base_url}/wizard{_query_of(_intent_of(call))}")


@routes.get("/documentation", caller=PUBLIC)
async def documentation(call: Call[Any]) -> Answer:
    """Explain the wizard."""
    return page(call, "wizard/documentation.html", base_url=call.peer.base_url)


@routes.get("/{token}", caller=PUBLIC)
async def show(call: Call[Any], token: str) -> Answer:
    """Offer what a link is for; looking at it uses nothing up."""
    found = await call.services.wizards.open(call.space, token, call.origin)
    if found is None:
        return _shown(call, Intent(), link=Intent().link(), is_over=True)
    if found.provisioning_token is None:
        return _shown(call, found.intent, press=f"/wizard/{token}", picture=f"/wizard/{token}/qrcode")
    return _with_account(call, found, f"{call.peer.base_url}/provisioning/{found.provisioning_token}")


@routes.post("/{token}", caller=PUBLIC)
async def use(call: Call[Any], token: str) -> Answer:
    """Use up a link without account, and open Linphone."""
    intent = await call.services.wizards.press(token)
    if intent is None:
        return _shown(call, Intent(), link=Intent().link(), is_over=True)
    return _shown(call, intent, link=intent.link(), opens_itself=True)


@routes.get("/{token}/qrcode", caller=PUBLIC)
async def picture(call: Call[Any], token: str) -> Answer:
    """Return the address of a link as a picture."""
    return await qr_picture(f"{call.peer.base_url}/wizard/{token}")


def _with_account(call: Call[Any], found: OpenWizard, url: str) -> Answer:
    return _shown(
        call,
        found.intent,
        link=found.intent.link(url),
        account=found.account,
        picture=f"/provisioning/qrcode/{found.provisioning_token}",
    )


def _shown(
    call: Call[Any],
    intent: Intent,
    *,
    link: str | None = None,
    account: SipAddress | None = None,
    press: str | None = None,
    picture: str | None = None,
    is_over: bool = False,
    opens_itself: bool = False,
) -> Answer:
    """Return the page: its button is a link, or a form that is sent to `press`; `picture` is a QR code for desktops."""
    platform = platform_of(call.origin.user_agent)
    return page(
        call,
        "wizard/page.html",
        intent=intent,
        link=link,
        account=account,
        press=press,
        picture=picture if platform == "desktop" else None,
        is_over=is_over,
        opens_itself=opens_itself,
        platform=platform,
        store=STORES[platform],
    )


def _intent_of(call: Call[Any]) -> Intent:
    """Return what the query says, as far as it is valid."""
    sip, action, use_sips = (call.query(name) for name in (SIP, ACTION, USE_SIPS))
    return Intent(
        sip if sip and parse(sip) else None,
        action if action in ACTIONS else None,
        # A parameter without a value says yes, as a switch that is named does.
        None if use_sips is None else use_sips in {"", "1", "true"},
    )


def _query_of(intent: Intent) -> str:
    values = {SIP: intent.sip, ACTION: intent.action, USE_SIPS: "1" if intent.use_sips else None}
    query = urlencode({name: value for name, value in values.items() if value})
    return f"?{query}" if query else ""
