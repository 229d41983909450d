"""How values become SQL, and how what comes back becomes values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, time, timedelta
from typing import Any

import orjson
import psycopg2
from psycopg2 import extensions

from flexid.store.query import Json

JSON_TYPES, JSON_ARRAY_TYPES, BYTEA_TYPES = (114, 3802), (199, 3807), (17,)
"""Object identifiers of json and jsonb, of their arrays, and of bytea, fixed since PostgreSQL has them."""


def _read_json(text: str | bytes | None, _cursor: Any) -> Any:
    return None if text is None else orjson.loads(text)


def _read_bytes(text: str | bytes | None, cursor: Any) -> bytes | None:
    value = psycopg2.BINARY(text, cursor)
    return None if value is None else bytes(value)


JSON = extensions.new_type(JSON_TYPES, "JSON", _read_json)
JSON_ARRAY = extensions.new_array_type(JSON_ARRAY_TYPES, "JSON[]", JSON)
BYTES = extensions.new_type(BYTEA_TYPES, "BYTES", _read_bytes)


def read_values(connection: Any) -> None:
    """Let a connection of psycopg2 parse JSON with orjson, and return bytes instead of memory views."""
    for kind in (JSON, JSON_ARRAY, BYTES):
        extensions.register_type(kind, connection)


def bindable(parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return parameters with their lists and tuples as array literals."""
    for value in parameters.values():
        if type(value) in {list, tuple}:
            break
    else:
        return parameters
    return {name: array_literal(value) if type(value) in {list, tuple} else value for name, value in parameters.items()}


def array_literal(items: Iterable[Any]) -> str:
    """Return PostgreSQL's text for an array.

    psycopg2 writes `ARRAY['…']`, which is a text[] and nothing else; this takes the type of where it stands.
    """
    return "{" + ",".join(_element(item) for item in items) + "}"


def _element(item: Any) -> str:
    match item:
        case None:
            return "NULL"
        case list() | tuple():
            return array_literal(item)
        case bytes():
            text = f"\\x{item.hex()}"
        case Json():
            text = item.dumps(item.adapted)
        case date() | time():
            text = item.isoformat()
        case timedelta():
            text = f"{item.days} days {item.seconds} seconds {item.microseconds} microseconds"
        case _:
            text = str(item)
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
