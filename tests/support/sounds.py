"""Sounds, and the forms in which they are uploaded."""

from __future__ import annotations

import io
import re
import wave
from collections.abc import Mapping
from typing import Any

from support.web import Browser, Reply

SIMPLE = "simple boundary"
"""Flexisip's; it has to be quoted."""


def wav(seconds: float = 0.1) -> bytes:
    """Return silence as a WAVE file."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(int(16000 * seconds)))
    return buffer.getvalue()


def opus() -> bytes:
    """Return the first page of an Ogg stream with Opus, and some more."""
    head = b"OpusHead" + bytes([1, 1, 0, 0]) + (48000).to_bytes(4, "little") + bytes(3)
    return b"OggS\0\2" + bytes(20) + bytes([1, len(head)]) + head + b"OggS" + bytes(500)


def form(content: bytes, filename: str = "hello.wav", boundary: str = SIMPLE, field: str = "file") -> tuple[bytes, str]:
    """Return a form with a file as Flexisip's voicemail server sends it, and its content type."""
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"; filename="{filename}"\r\n'
        "Content-Type: audio/wav\r\n\r\n"
    )
    body = head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
    return body, f'multipart/form-data; boundary="{boundary}"'


async def upload(browser: Browser, slot: Mapping[str, Any], content: bytes, *parts_of_form: str) -> Reply:
    """Fill a slot, as the answer that opened it says."""
    body, content_type = form(content, *parts_of_form)
    path = re.sub("^https?://[^/]+", "", slot["upload_url"])
    return await browser.ask("POST", path, body, Content_Type=content_type)
