"""Addresses of other servers (RFC 3986)."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

# Printable ASCII without what a URL never contains as it is.
_CHARACTERS = re.compile(r"[!#-;=?-\[\]_a-z~]+")
_HOST = re.compile(r"[a-z0-9.-]+|[0-9a-f:.]+")


def is_http(text: str) -> bool:
    """Say whether a text is a whole http or https URL without user and password."""
    if not _CHARACTERS.fullmatch(text):
        return False
    try:
        parts = urlsplit(text)
        is_port_right = parts.port != 0
    except ValueError:
        return False
    has_host = parts.hostname is not None and _HOST.fullmatch(parts.hostname) is not None
    return parts.scheme in {"http", "https"} and has_host and is_port_right and "@" not in parts.netloc


def host_of(url: str) -> str:
    """Return the host in a whole URL."""
    return urlsplit(url).hostname or ""
