"""The API key of one's own account."""

from __future__ import annotations

from typing import Any

from flexid.http.answers import Answer
from flexid.http.call import Call
from flexid.http.pages import page
from flexid.http.routes import USER, Routes

routes = Routes("/api_key", title="One's own API key", portal=True)


@routes.get(caller=USER)
async def show(call: Call[Any]) -> Answer:
    """Explain what a key is for."""
    return page(call, "api_key/page.html", key=None, minutes=call.settings.lifetimes.user_api_key)


@routes.post(caller=USER)
async def renew(call: Call[Any]) -> Answer:
    """Make a new key, and show it this once; the one before is void."""
    key = await call.services.own_account.renew_api_key(call.actor, call.origin)
    return page(call, "api_key/page.html", key=key, minutes=call.settings.lifetimes.user_api_key)
