"""Answers that a client need not fetch again while they are what it has (RFC 9110, 8.8.3 and 13.1.2)."""

from __future__ import annotations

import hashlib
import re

from flexid.http.answers import Answer
from flexid.http.request import FlexidRequest

_TAG = re.compile(r'(?:W/)?("[^"]*")')


def tagged(request: FlexidRequest, body: bytes, content_type: str) -> Answer:
    """Return an answer with a tag that follows from its body; nothing but 304 where the client has that very body."""
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    known = request.header("if-none-match") or ""
    if known.strip() == "*" or tag in _TAG.findall(known):
        return Answer(status=304, headers=headers)
    return Answer(body, content_type, headers=headers)
