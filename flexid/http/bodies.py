"""The body of a request: JSON or a form, as its `Content-Type` says."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl

import orjson

from flexid.base.text import Text
from flexid.domain.errors import Malformed

MAX_FORM_FIELDS = 1000
_NESTED = re.compile(r"([^\[\]]+)\[([^\[\]]+)\]")


def read(content: bytes, content_type: str) -> dict[str, Any]:
    """Return the fields of a body; what is neither JSON nor a form, or no object, has none.

    :raise Malformed: it is declared JSON or a form and is none.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/json" or kind.endswith("+json"):
        return _json(content)
    if kind == "application/x-www-form-urlencoded":
        return _form(content)
    return {}


def _json(content: bytes) -> dict[str, Any]:
    if not content.strip():
        return {}
    try:
        value = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise Malformed(Text("Invalid JSON: {why}", why=str(error))) from None
    return value if isinstance(value, dict) else {}


def _form(content: bytes) -> dict[str, Any]:
    try:
        pairs = parse_qsl(content.decode(), keep_blank_values=True, max_num_fields=MAX_FORM_FIELDS, errors="strict")
    except ValueError as error:
        raise Malformed(Text("Invalid form: {why}", why=str(error))) from None
    fields: dict[str, Any] = {}
    for name, value in pairs:
        if nested := _NESTED.fullmatch(name):
            inner = fields.setdefault(nested[1], {})
            if isinstance(inner, dict):
                inner[nested[2]] = value
        else:
            fields[name] = value
    return fields
