"""Examples of what goes over the wire, made from its schemas."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flexid.http.api.openapi_schemas import Schema, Schemas

A_TIME = "2026-01-31T09:30:00.000000Z"
WORDS: Mapping[str, object] = {
    "account_creation_token": "EaTx2bkVMd6WLQJ7fGpRz1",
    "body": "See you at noon.",
    "code": "1234",
    "code in a path": "FR",
    "country_code": "33",
    "default_password_algorithm": "SHA-256",
    "algorithm": "SHA-256",
    "description": "Who answers calls at night.",
    "device_id": '"<urn:uuid:4f7705de-39c1-4f73-8f6e-3f6a0c0d3d6f>"',
    "dictionary": {"department": "Sales"},
    "display_name": "Alice Martin",
    "domain": "sip.example.org",
    "dtmf_protocol": "rfc2833",
    "email": "alice@example.org",
    "from": "alice@sip.example.org",
    "from_address": "calls@example.org",
    "host": "sip.example.org",
    "ip": "192.0.2.1",
    "ip_address": "192.0.2.1",
    "key": "department",
    "label": "1",
    "name": "Example Telecom",
    "password": "only-for-this-page",
    "per_page": 20,
    "phone": "+33536491703",
    "port": 587,
    "provisioning_token": "5kQ7nXbW2cVtYdRfGhJm3p",
    "realm": "sip.example.org",
    "server_url": "https://login.example.org",
    "sip": "alice@sip.example.org",
    "sip_uri": "sip:alice@sip.example.org",
    "title": "Night shift",
    "to": "bob@sip.example.org",
    "token": "EaTx2bkVMd6WLQJ7fGpRz1",
    "recipient": "bob@sip.example.org",
    "uri": "https://contacts.example.org/dav",
    "uris": ["turn:turn.example.org"],
    "user_agent": "LinphoneAndroid/6.0",
    "username": "alice",
    "uuid": "4f7705de-39c1-4f73-8f6e-3f6a0c0d3d6f",
    "value": "Sales",
    "vcard": "BEGIN:VCARD\r\nVERSION:4.0\r\nUID:4f7705de\r\nFN:Bob\r\nEND:VCARD\r\n",
}
"""By the names of fields; the rest follows from the types."""
_KINDS: Mapping[str, type] = {"string": str, "integer": int, "boolean": bool, "object": dict, "array": list}
_OF_KIND: Mapping[str, object] = {"integer": 1, "number": 1.5, "boolean": True, "null": None}
_OF_FORMAT: Mapping[str, str] = {
    "date-time": A_TIME,
    "date": "2026-01-31",
    "email": "alice@example.org",
    "hostname": "sip.example.org",
    "uri": "https://example.org/",
}


def example(schema: Schema, schemas: Schemas, name: str = "", *, whole: bool = True) -> Any:
    """Return something that a schema describes, for the field `name`; of inputs, if not `whole`, what is required."""
    schema = schemas.resolved(schema)
    if "anyOf" in schema:
        return example(schema["anyOf"][0], schemas, name, whole=whole)
    kind = schema.get("type", "")
    for known in _known(schema, kind, name):
        return known
    if kind == "array":
        return [example(schema["items"], schemas, name, whole=whole)]
    if kind == "object":
        return _object(schema, schemas, name, whole=whole)
    return _plain(schema, kind, name)


def _known(schema: Schema, kind: str, name: str) -> Iterable[Any]:
    """Yield examples that are known, the best one first."""
    yield from schema.get("enum", ())
    if name in WORDS and isinstance(WORDS[name], _KINDS.get(kind, object)):
        yield WORDS[name]
    yield from schema.get("examples", ())
    if "default" in schema:
        yield schema["default"]


def _plain(schema: Schema, kind: str, name: str) -> object:
    if kind == "string":
        return _OF_FORMAT.get(schema.get("format", ""), name or "text")
    return max(schema.get("minimum", 1), 1) if kind == "integer" else _OF_KIND.get(kind, {})


def _object(schema: Schema, schemas: Schemas, name: str, *, whole: bool) -> dict[str, Any]:
    if "properties" not in schema:
        further = schema.get("additionalProperties")
        # What is keyed by an id has numbers for keys, dictionaries have words.
        return {"1": example(further, schemas, name, whole=whole)} if further else {}
    required = schema.get("required", ())
    return {
        field: example(each, schemas, field, whole=whole)
        for field, each in schema["properties"].items()
        if whole or field in required
    }
