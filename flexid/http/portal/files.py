"""Voicemails, for whoever has their links: these cannot be guessed, and stand in mails."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from flexid.domain.voicemails import OPUS, WAV
from flexid.http import sending
from flexid.http.answers import Answer
from flexid.http.call import Call
from flexid.http.routes import PUBLIC, Routes

routes = Routes("/f/{uuid}/{name}", title="Downloads")

MEDIA_TYPES = {WAV: "audio/wav", OPUS: "audio/ogg; codecs=opus"}
"""Opus in Ogg is named after Ogg (RFC 7845, 9). What is not among them is nothing that a browser shows."""
UNKNOWN = "application/octet-stream"
HARMLESS = {
    "X-Content-Type-Options": "nosniff",
    # A browser plays a sound that is opened by itself in a page of its own making, which fetches it again: that is not
    # to come from a stranger. No script runs there.
    "Content-Security-Policy": (
        "default-src 'none'; media-src 'self'; style-src 'unsafe-inline'; sandbox allow-same-origin"
    ),
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "private, max-age=3600",
}
_UNFIT = re.compile(r"[^A-Za-z0-9._ -]")


@routes.get(caller=PUBLIC, answers={200: ("audio/wav", "audio/ogg"), 206: ("audio/wav", "audio/ogg"), 416: None})
async def listen(call: Call[Any], uuid: str, name: str) -> Answer:
    """Return a voicemail, or the part of it that `Range` asks for, to be played."""
    return await _file(call, uuid, name, "inline")


@routes.get(
    "/download", caller=PUBLIC, answers={200: ("audio/wav", "audio/ogg"), 206: ("audio/wav", "audio/ogg"), 416: None}
)
async def download(call: Call[Any], uuid: str, name: str) -> Answer:
    """Return a voicemail, or the part of it that `Range` asks for, to be saved."""
    return await _file(call, uuid, name, "attachment")


async def _file(call: Call[Any], uuid: str, name: str, disposition: str) -> Answer:
    known, file = await call.services.files.open(call.space, uuid, name)
    kind = MEDIA_TYPES.get(known.content_type, UNKNOWN)
    if kind == UNKNOWN:
        disposition = "attachment"
    # The second one is for those who read RFC 8187, the first for all others.
    names = f"filename=\"{_UNFIT.sub('_', name)}\"; filename*=UTF-8''{quote(name, safe='')}"
    tag = f'"{known.id}"'
    headers = {**HARMLESS, "ETag": tag, "Content-Disposition": f"{disposition}; {names}"}
    # A file never changes, and yet another may be meant (RFC 9110, 13.1.5).
    condition = call.request.header("if-range")
    wished = call.request.header("range") if condition in {None, tag} else None
    return sending.answer(file, known.size or 0, kind, headers, wished)
