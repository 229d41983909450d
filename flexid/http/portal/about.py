"""What this is, and what it is made of."""

from __future__ import annotations

from typing import Any

from flexid.domain.errors import NotFound
from flexid.http.answers import Answer
from flexid.http.call import Call
from flexid.http.pages import page
from flexid.http.portal.components import installed_components
from flexid.http.portal.welcome import welcome
from flexid.http.routes import PUBLIC, Routes

routes = Routes("", title="About", portal=True)


@routes.get("/about", caller=PUBLIC)
async def about(call: Call[Any]) -> Answer:
    """Say what this is."""
    return page(call, "about/page.html", welcome_html=welcome(call.space))


@routes.get("/third-party-components", caller=PUBLIC)
async def third_party_components(call: Call[Any]) -> Answer:
    """List what is installed, with its licences."""
    return page(call, "third_party_components/page.html", components=installed_components())


@routes.get("/documentation", caller=PUBLIC)
async def documentation(call: Call[Any]) -> Answer:
    """Explain the portal to the people who use it."""
    return page(call, "documentation/page.html")


@routes.get("/blocked", caller=PUBLIC)
async def blocked(call: Call[Any]) -> Answer:
    """Tell the owner of a blocked account so."""
    return page(call, "blocked/page.html", 403)


@routes.get("/styleguide", caller=PUBLIC)
async def styleguide(call: Call[Any]) -> Answer:
    """Show every part of a page in every state to those who work on the portal."""
    if not call.settings.development:
        raise NotFound
    return page(call, "styleguide/page.html")
