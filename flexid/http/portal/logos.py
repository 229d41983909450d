"""The logo of a Space, on its own host."""

from __future__ import annotations

from typing import Any

from flexid.domain.logos import Logo
from flexid.http.answers import Answer
from flexid.http.call import Call
from flexid.http.portal.assets import FOR_EVER
from flexid.http.routes import PUBLIC, Routes

routes = Routes("/logo", title="Logo")

HARMLESS = {
    "X-Content-Type-Options": "nosniff",
    # An SVG that is opened by itself is a page: one in which nothing runs, and which fetches nothing.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
}


@routes.get("/{name}", caller=PUBLIC)
async def logo(call: Call[Any], name: str) -> Answer:
    """Return the logo; its name changes with its content."""
    return picture(await call.services.logos.show(call.space, name), FOR_EVER)


def picture(logo: Logo, headers: dict[str, str]) -> Answer:
    """Return the answer that shows a logo."""
    return Answer(logo.content, logo.content_type, headers={**headers, **HARMLESS})
