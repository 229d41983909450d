"""What goes back over the wire."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import orjson
from attrs import field, frozen

JSON = "application/json"
"""Exactly this, without a charset: Linphone compares the whole header."""
TEXT = "text/plain; charset=utf-8"
HTML = "text/html; charset=utf-8"
XML = "application/xml"


@frozen
class Answer:
    """A whole answer: status, body with its type, further headers."""

    body: bytes = b""
    content_type: str | None = None
    status: int = 200
    headers: Mapping[str, str] = field(factory=dict)

    @property
    def size(self) -> int:
        """Return how many bytes its body has."""
        return len(self.body)


def json(value: object, status: int = 200) -> Answer:
    """Return an answer in JSON."""
    return Answer(orjson.dumps(value), JSON, status)


def text(value: str, status: int = 200) -> Answer:
    """Return an answer in plain text."""
    return Answer(value.encode(), TEXT, status)


def document(xml: bytes) -> Answer:
    """Return a provisioning document: it holds secrets, so no cache may keep it."""
    return Answer(xml, XML, headers={"Cache-Control": "no-store"})


def see_other(path: str) -> Answer:
    """Return the answer that sends a browser to another page (RFC 9110, 15.4.4)."""
    return Answer(status=303, headers={"Location": path, "Cache-Control": "no-store"})


def of(value: object, status: int) -> Answer:
    """Return the answer that a handler's value stands for: nothing is an empty body, anything else JSON."""
    if isinstance(value, Answer):
        return value
    # Typed even where there is nothing: liblinphone 5.1 crashes at an answer that names no type.
    return text("", status) if value is None else json(value, status)


def moment(value: datetime) -> str:
    """Return a time in UTC as the API shows it: ISO 8601, microseconds and `Z`."""
    return value.isoformat("T", "microseconds").removesuffix("+00:00") + "Z"


def moment_or_none(value: datetime | None) -> str | None:
    """Return a time as the API shows it, or None."""
    return None if value is None else moment(value)
