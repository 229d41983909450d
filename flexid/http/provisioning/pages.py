"""The page that explains remote provisioning."""

from __future__ import annotations

from typing import Any

from flexid.http.answers import Answer
from flexid.http.call import Call
from flexid.http.pages import page
from flexid.http.routes import PUBLIC, Routes

routes = Routes("/provisioning/documentation", title="About remote provisioning", portal=True)


@routes.get(caller=PUBLIC)
async def documentation(call: Call[Any]) -> Answer:
    """Explain remote provisioning."""
    return page(call, "provisioning/documentation.html", base_url=call.peer.base_url)
