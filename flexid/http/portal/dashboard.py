"""What users see first: who they are, and how they set up a phone."""

from __future__ import annotations

from typing import Any

from flexid.base.text import Text
from flexid.http.answers import Answer
from flexid.http.call import Call
from flexid.http.pages import go, page
from flexid.http.portal.provisioning_link import link_of, qr_of
from flexid.http.routes import USER, Routes

VOICEMAILS = 3
"""So many are shown, the newest."""

routes = Routes("/dashboard", title="Dashboard", portal=True)


@routes.get(caller=USER, hot=True)
async def dashboard(call: Call[Any]) -> Answer:
    """Show the account of whoever is signed in."""
    account = await call.services.own_account.show(call.actor)
    provisioning = await link_of(call, account)
    devices = await call.services.devices.on_page(account)
    glance = await call.services.voicemails.glance(call.actor, VOICEMAILS)
    return page(
        call, "dashboard/page.html", account=account, provisioning=provisioning, devices=devices, telephony=glance
    )


@routes.get("/qrcode", caller=USER)
async def picture(call: Call[Any]) -> Answer:
    """Return the provisioning code as a picture."""
    return await qr_of(call, await call.services.own_account.show(call.actor))


@routes.post("/provisioning", caller=USER)
async def renew(call: Call[Any]) -> Answer:
    """Make a new provisioning code; the one before is void."""
    await call.services.own_account.renew_provisioning_token(call.actor, call.origin)
    return await go(call, "/dashboard", Text("Here is your new code. The one before no longer works."))
