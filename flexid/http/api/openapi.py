"""The description of the REST API (OpenAPI 3.1), from the declarations of its routes."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Sequence
from typing import Any, get_type_hints

from flexid.domain.account_exports import CONTENT_TYPES
from flexid.http import repeats
from flexid.http.answers import JSON
from flexid.http.api.openapi_answers import HEADERS, PROBLEM, PROBLEMS, answers, refusals
from flexid.http.api.openapi_examples import example
from flexid.http.api.openapi_schemas import Schema, Schemas
from flexid.http.inputs import MergePatch
from flexid.http.intake import FIELD
from flexid.http.routes import MAX_ID, PUBLIC, USER, Parameter, Route, Routes

MERGE_PATCH = "application/merge-patch+json"
TITLE = "flexid"
VERSION = "1"
"""Of the interface, not of the program, which tells nobody its version."""
ABOUT = """\
The host selects the Space. Bodies are JSON; the same fields in a form are understood, too. In a body, `null` and empty
text count as not given, fields that an endpoint does not know are ignored, and text is accepted where a number or a
boolean is meant. Messages come in the language of `Accept-Language`.
"""
SECURITY: dict[str, Schema] = {
    "key": {"type": "apiKey", "in": "header", "name": "x-api-key", "description": "An API key."},
    "digest": {
        "type": "http",
        "scheme": "digest",
        "description": "RFC 7616, MD5 or SHA-256; the request says who calls in `From: sip:alice@sip.example.org`.",
    },
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "A token of the OpenID server that the Space is configured with.",
    },
    "certificate": {"type": "mutualTLS", "description": "A client certificate that names the account."},
}
MULTIPART = "multipart/form-data"
FORM_WITH_FILE: Schema = {
    "type": "object",
    "properties": {FIELD: {"type": "string", "format": "binary", "contentMediaType": "application/octet-stream"}},
    "required": [FIELD],
}
_IN_PATH = re.compile(r"\{(\w+)\}")


def describe(resources: Iterable[Routes]) -> dict[str, Any]:
    """Return the description of all routes that are not pages.

    :raise TypeError: a declaration says too little, or two of them the same.
    """
    schemas = Schemas({"Problem": PROBLEM, "Problems": PROBLEMS})
    described = [(resource, route) for resource in resources for route in resource.routes if not route.portal]
    names = _names([route for _, route in described])
    paths: dict[str, dict[str, Schema]] = {}
    for resource, route in described:
        operation = {"operationId": names[id(route)], "tags": [resource.title], **_operation(route, schemas)}
        paths.setdefault(route.path, {})[route.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": TITLE, "version": VERSION, "description": ABOUT},
        "servers": [{"url": "/"}],
        "tags": [{"name": title} for title in dict.fromkeys(resource.title for resource, _ in described)],
        "paths": paths,
        "components": {
            "schemas": schemas.named,
            "responses": refusals(),
            "headers": dict(HEADERS),
            "securitySchemes": SECURITY,
        },
    }


def _names(routes: Iterable[Route]) -> dict[int, str]:
    """Return a name for each route, as generated clients call it: the module and the handler, `own` for one's own."""
    names: dict[int, str] = {}
    for route in routes:
        name = f"{route.handler.__module__.rpartition('.')[2]}_{route.handler.__name__}"
        if "account_id" in get_type_hints(route.handler) and "{account_id}" not in route.path:
            name = f"own_{name}"
        if name in names.values():
            raise TypeError(f"{route.method} {route.path}: another route is called {name}")
        names[id(route)] = name
    return names


def _operation(route: Route, schemas: Schemas) -> Schema:
    said = inspect.getdoc(route.handler) or ""
    summary, _, more = said.partition("\n\n")
    operation: Schema = {
        "summary": summary.replace("\n", " "),
        "description": more.replace("\n", " "),
        "x-caller": route.caller.name,
        "x-for": route.caller.value,
        "security": _security(route),
        "parameters": [*_path_parameters(route), *(_parameter(each, schemas) for each in _sent_along(route))],
        "responses": answers(route, schemas),
    }
    if route.input:
        schema = schemas.of(route.input)
        body = {"schema": schema, "example": example(schema, schemas, whole=False)}
        required = bool(schemas.resolved(schema).get("required"))
        understood = (JSON, MERGE_PATCH) if issubclass(route.input, MergePatch) else (JSON,)
        operation["requestBody"] = {"required": required, "content": dict.fromkeys(understood, body)}
    if route.upload:
        operation["requestBody"] = {"required": True, "content": {MULTIPART: {"schema": FORM_WITH_FILE}}}
    if route.large:
        kinds = {kind: {"schema": {"type": "string"}} for kind in CONTENT_TYPES.values()}
        operation["requestBody"] = {"required": True, "content": {**kinds, MULTIPART: {"schema": FORM_WITH_FILE}}}
    for answer in operation["responses"].values():
        if JSON in answer.get("content", {}):
            shown = answer["content"][JSON]
            shown["example"] = example(shown["schema"], schemas)
    return operation


def _sent_along(route: Route) -> Sequence[Parameter]:
    return (*route.parameters, repeats.PARAMETER) if route.takes_key else route.parameters


def _security(route: Route) -> list[dict[str, list[str]]]:
    if route.caller is PUBLIC:
        return []
    ways = ["key"]
    if route.caller is USER:
        ways += ["digest", "bearer"]
    if route.certificates:
        ways += ["certificate"]
    return [{way: []} for way in ways]


def _path_parameters(route: Route) -> list[Schema]:
    hints = get_type_hints(route.handler)
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "integer", "format": "int64", "minimum": 0, "maximum": MAX_ID}
            if hints[name] is int
            else {"type": "string", "minLength": 1},
            "example": _example_in_path(name, is_number=hints[name] is int),
        }
        for name in _IN_PATH.findall(route.path)
    ]


def _example_in_path(name: str, *, is_number: bool) -> object:
    schema = {"type": "integer" if is_number else "string"}
    return example(schema, Schemas(), f"{name} in a path" if name == "code" else name)


def _parameter(parameter: Parameter, schemas: Schemas) -> Schema:
    schema = schemas.of(parameter.type)
    return {
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.required,
        "description": parameter.says,
        "schema": schema,
        "example": example(schema, schemas, parameter.name),
    }
