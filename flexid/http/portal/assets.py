"""Stylesheet, script and icons: in memory, and kept by browsers for ever under an address made of their content."""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from attrs import field, frozen
from markupsafe import Markup

from flexid.base.shipped import STATIC
from flexid.domain.errors import NotFound
from flexid.http.answers import Answer
from flexid.http.call import Call
from flexid.http.routes import PUBLIC, Routes

TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
HUES = range(361)
_THEME = re.compile(r"(0|[1-9][0-9]{0,2})\.css")


@frozen
class Asset:
    """A file as it is sent."""

    content: bytes = field(repr=False)
    compressed: bytes = field(repr=False)
    content_type: str
    version: str


def read(folder: Path = STATIC) -> Mapping[str, Asset]:
    """Return the files of a folder by name."""
    assets = {}
    for path in folder.iterdir():
        if path.suffix in TYPES:
            content = path.read_bytes()
            version = hashlib.sha256(content).hexdigest()[:12]
            assets[path.name] = Asset(content, gzip.compress(content, mtime=0), TYPES[path.suffix], version)
    return assets


def routes(assets: Mapping[str, Asset]) -> Routes:
    """Return the routes of these files, and of the colours that follow from a Space's hue."""
    static = Routes("", title="Assets")

    @static.get("/static/{name}", caller=PUBLIC, needs_space=False, hot=True)
    async def asset(call: Call[Any], name: str) -> Answer:
        """Return a file of the portal."""
        if (found := assets.get(name)) is None:
            raise NotFound
        # Whoever asks without the version may not keep it: the next release has another.
        headers = FOR_EVER if call.query("v") == found.version else {"Cache-Control": "no-cache"}
        headers = {**headers, "Vary": "Accept-Encoding"}
        if "gzip" in (call.request.header("accept-encoding") or ""):
            return Answer(found.compressed, found.content_type, headers={**headers, "Content-Encoding": "gzip"})
        return Answer(found.content, found.content_type, headers=headers)

    @static.get("/theme/{name}", caller=PUBLIC, needs_space=False, hot=True)
    async def theme(_: Call[Any], name: str) -> Answer:
        """Return the one variable from which all colours follow: `/theme/22.css`."""
        hue = _THEME.fullmatch(name)
        if not hue or int(hue[1]) not in HUES:
            raise NotFound
        return Answer(f":root {{ --hue: {hue[1]} }}\n".encode(), TYPES[".css"], headers=FOR_EVER)

    return static


def icons(address: str) -> Callable[[str, str], Markup]:
    """Return what draws an icon of the sprite at an address, for templates; `look` is a class more."""

    @lru_cache(maxsize=1000)
    def drawn_icon(name: str, look: str = "") -> Markup:
        classes = f"icon {look}" if look else "icon"
        return Markup('<svg class="{}" aria-hidden="true"><use href="{}#{}"/></svg>').format(classes, address, name)

    return drawn_icon


def url(assets: Mapping[str, Asset], name: str) -> str:
    """Return the address of a file, for templates."""
    return f"/static/{name}?v={assets[name].version}"
