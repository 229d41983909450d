"""What a route may answer, as OpenAPI has it: success as it is declared, and the refusals that follow."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, get_type_hints

from attrs import frozen

from flexid.http.answers import JSON, Answer
from flexid.http.api.openapi_schemas import Schema, Schemas
from flexid.http.routes import PUBLIC, USER, Route

WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
_STATUS = re.compile(r"\b(4\d\d|503)\b")
_SHOWN = {"X-Request-ID": {"$ref": "#/components/headers/X-Request-ID"}}
HEADERS: Mapping[str, Schema] = {
    "X-Request-ID": {"description": "Stands in the log, too.", "schema": {"type": "string"}},
    "WWW-Authenticate": {
        "description": "How to say who one is: one challenge for each algorithm (RFC 7616).",
        "schema": {"type": "string"},
    },
    "Allow": {"description": "The methods that the path has.", "schema": {"type": "string"}},
    "Retry-After": {
        "description": "After how many seconds to try again.",
        "required": True,
        "schema": {"type": "integer", "minimum": 0},
    },
}


@frozen
class Refusal:
    """An answer with a status that refuses, its name in the description, and what it tells in its headers."""

    name: str
    says: str
    message: str
    header: str | None = None


REFUSALS: Mapping[int, Refusal] = {
    400: Refusal("Malformed", "What was sent cannot be read.", "Invalid JSON: unexpected end of data"),
    401: Refusal("Unauthenticated", "Nobody we know.", "Unauthenticated.", "WWW-Authenticate"),
    403: Refusal("Forbidden", "Not allowed: another's, blocked, full, off, or expired.", "Unauthorized area"),
    404: Refusal("NotFound", "No such thing, or none that this caller may see.", "Not found"),
    405: Refusal("WrongMethod", "The path has other methods.", "The method is not supported for this route", "Allow"),
    409: Refusal("Conflict", "It exists already, or the first request with this key still runs.", "It exists already"),
    410: Refusal("Expired", "It was good once.", "The provisioning token has expired"),
    413: Refusal("TooLarge", "The body is larger than a body may be.", "The body is too large"),
    422: Refusal("Invalid", "Fields are wrong; all of them are named at once.", "The username field is required."),
    429: Refusal("Throttled", "Too many tries.", "Too many attempts, please try again later", "Retry-After"),
    503: Refusal(
        "Unavailable",
        "Something that we need is away.",
        "The service is temporarily unavailable, please try again",
        "Retry-After",
    ),
}
PROBLEM: Schema = {
    "type": "object",
    "description": "Why something was refused, in the language of `Accept-Language`.",
    "properties": {"message": {"type": "string"}},
    "required": ["message"],
}
PROBLEMS: Schema = {
    "type": "object",
    "description": "What is wrong with each field; fields within others are named with dots.",
    "properties": {
        "message": {"type": "string"},
        "errors": {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}},
    },
    "required": ["message", "errors"],
}


def refusals() -> dict[str, Schema]:
    """Return all refusals, to be referred to by their names."""
    return {each.name: _refusal(status, each) for status, each in REFUSALS.items()}


def answers(route: Route, schemas: Schemas) -> dict[str, Schema]:
    """Return what a route may answer, by status."""
    told = {str(status): _success(status, each, schemas) for status, each in _declared(route).items()}
    refused = {str(status): _reference(status) for status in sorted(_refused(route))}
    # What a route tells of its own refusals is more than the others have in common.
    return {**told, **{status: refusal for status, refusal in refused.items() if status not in told}}


def _declared(route: Route) -> Mapping[int, Any]:
    if route.answers:
        return route.answers
    shown = get_type_hints(route.handler)["return"]
    return {route.status: None if shown in {Answer, type(None)} else shown}


def _success(status: int, shown: Any, schemas: Schemas) -> Schema:
    answer: Schema = {"description": HTTPStatus(status).phrase, "headers": _SHOWN}
    kinds = (shown,) if isinstance(shown, str) else shown
    if isinstance(kinds, tuple):
        answer["content"] = {kind: {"schema": _raw(kind)} for kind in kinds}
    elif shown is not None:
        answer["content"] = {JSON: {"schema": schemas.of(shown)}}
    return answer


def _raw(kind: str) -> Schema:
    return {"type": "string"} if kind.startswith("text/") or kind.endswith("xml") else {}


def _refused(route: Route) -> set[int]:
    # A Space that is not there or has expired, and a database that is away, meet everybody.
    statuses = {403, 404, 503} if route.needs_space else {503}
    if route.before:
        statuses |= {400}
    if any(hint is int and f"{{{name}}}" in route.path for name, hint in get_type_hints(route.handler).items()):
        # Where a number is meant, a word may lead to another path.
        statuses |= {405}
    if route.method in WITH_BODY:
        statuses |= {400, 413}
    if route.takes_key:
        # Of its `Idempotency-Key`.
        statuses |= {409, 422}
    if route.input or any(parameter.place == "query" for parameter in route.parameters):
        statuses |= {422}
    if route.caller is not PUBLIC:
        statuses |= {401}
    if route.caller is USER:
        statuses |= {429}
    named = {int(status) for status in _STATUS.findall(inspect.getdoc(route.handler) or "")}
    return statuses | (named & REFUSALS.keys())


def _reference(status: int) -> Schema:
    return {"$ref": f"#/components/responses/{REFUSALS[status].name}"}


def _refusal(status: int, refusal: Refusal) -> Schema:
    example: dict[str, Any] = {"message": refusal.message}
    name = "Problem"
    if status == HTTPStatus.UNPROCESSABLE_ENTITY:
        example["errors"] = {"username": [refusal.message]}
        name = "Problems"
    named = {refusal.header: {"$ref": f"#/components/headers/{refusal.header}"}} if refusal.header else {}
    return {
        "description": refusal.says,
        "headers": {**_SHOWN, **named},
        "content": {JSON: {"schema": {"$ref": f"#/components/schemas/{name}"}, "example": example}},
    }
