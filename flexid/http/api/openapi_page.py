"""What the page about the API shows, read from its description."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attrs import field, frozen

from flexid.base.text import Text
from flexid.http.answers import JSON
from flexid.http.intake import FIELD

Schema = Mapping[str, Any]
BASE = "https://sip.example.org"
"""Stands for the address of whoever reads the page."""
CALLERS = {
    "PUBLIC": Text("Anybody"),
    "USER": Text("Users"),
    "ADMIN": Text("Administrators"),
    "SUPER_ADMIN": Text("Super administrators"),
}
PLACES = {"path": Text("in the path"), "query": Text("in the query"), "header": Text("in a header")}


@frozen
class Field:
    """Something that a caller sends; `place` is None in a body."""

    name: str
    kind: str
    required: bool
    place: Text | None = None
    bounds: tuple[Text, ...] = ()
    pattern: str | None = None
    says: str | None = None


@frozen
class Outcome:
    """What success looks like: its status, its media types, and an example of JSON."""

    status: str
    kinds: tuple[str, ...]
    example: str | None


@frozen
class Endpoint:
    """A method of a path."""

    name: str
    method: str
    path: str
    title: str
    summary: str
    more: tuple[str, ...]
    """Paragraphs."""
    caller: Text
    fields: tuple[Field, ...]
    outcomes: tuple[Outcome, ...]
    refusals: tuple[str, ...]
    """Statuses; `refusals` tells what they mean."""
    curl: str
    words: str = field(repr=False)
    """What it is found by, in lower case."""


def endpoints(description: Mapping[str, Any]) -> list[Endpoint]:
    """Return all endpoints in the order of the description."""
    components = description["components"]
    return [
        _endpoint(method.upper(), path, operation, components)
        for path, operations in description["paths"].items()
        for method, operation in operations.items()
    ]


def refusals(description: Mapping[str, Any]) -> dict[str, str]:
    """Return what each status of a refusal means."""
    named = description["components"]["responses"]
    return {
        status: _resolved(answer, description["components"])["description"]
        for operations in description["paths"].values()
        for operation in operations.values()
        for status, answer in operation["responses"].items()
        if answer.get("$ref", "").rpartition("/")[2] in named
    }


def matching(every: Iterable[Endpoint], wanted: str) -> list[Endpoint]:
    """Return those that have all words that somebody looks for."""
    words = wanted.casefold().split()
    return [each for each in every if all(word in each.words for word in words)]


def _endpoint(method: str, path: str, operation: Schema, components: Schema) -> Endpoint:
    body = operation.get("requestBody", {}).get("content", {}).get(JSON, {})
    fields = (
        *(_parameter(each) for each in operation["parameters"]),
        *(_fields(body["schema"], components) if body else ()),
    )
    caller = CALLERS[operation["x-caller"]]
    title = operation["tags"][0]
    words = (method, path, title, operation["summary"], operation["description"], str(caller))
    return Endpoint(
        operation["operationId"],
        method,
        path,
        title,
        operation["summary"],
        _paragraphs(operation, body, components),
        caller,
        fields,
        tuple(_outcome(status, each) for status, each in operation["responses"].items() if status < "4"),
        tuple(status for status in operation["responses"] if status >= "4"),
        _curl(method, path, operation, body),
        " ".join((*words, *(each.name for each in fields))).casefold(),
    )


def _paragraphs(operation: Schema, body: Schema, components: Schema) -> tuple[str, ...]:
    said = (operation["description"], _resolved(body["schema"], components).get("description") if body else None)
    return tuple(each for each in said if each)


def _parameter(parameter: Schema) -> Field:
    return _field(
        parameter["name"],
        parameter["schema"],
        required=parameter["required"],
        place=PLACES[parameter["in"]],
        says=parameter.get("description"),
    )


def _fields(schema: Schema, components: Schema, within: str = "") -> Iterable[Field]:
    """Return the fields of a body; those within others are named with dots."""
    schema = _resolved(schema, components)
    for name, each in schema["properties"].items():
        variants = [_resolved(variant, components) for variant in each.get("anyOf", (each,))]
        yield _field(within + name, each, required=name in schema.get("required", ()))
        for variant in variants:
            if "properties" in variant:
                yield from _fields(variant, components, f"{within}{name}.")


def _field(name: str, schema: Schema, *, required: bool, place: Text | None = None, says: str | None = None) -> Field:
    variants: Sequence[Schema] = schema.get("anyOf", (schema,))
    kinds = dict.fromkeys(_kind(each) for each in variants if each.get("type") != "null")
    meant = variants[0]
    return Field(name, " / ".join(kinds), required, place, tuple(_bounds(schema, meant)), meant.get("pattern"), says)


def _kind(schema: Schema) -> str:
    if schema.get("format") in {"date", "date-time", "email", "uri", "hostname"}:
        return str(schema["format"])
    return str(schema.get("type", "object"))


def _bounds(schema: Schema, meant: Schema) -> Iterable[Text]:
    if "enum" in meant:
        yield Text("one of {words}", words=", ".join(meant["enum"]))
    if "maxLength" in meant:
        yield Text("up to {length} characters", length=meant["maxLength"])
    if {"minimum", "maximum"} <= meant.keys() and meant["maximum"] < (1 << 31) - 1:
        yield Text("{least} to {most}", least=meant["minimum"], most=meant["maximum"])
    elif meant.get("minimum", -1) > 0:
        yield Text("at least {least}", least=meant["minimum"])
    if "default" in schema:
        yield Text("{value} if nothing is given", value=json.dumps(schema["default"]))


def _outcome(status: str, answer: Schema) -> Outcome:
    content = answer.get("content", {})
    shown = json.dumps(content[JSON]["example"], indent=2, ensure_ascii=False) if JSON in content else None
    return Outcome(status, tuple(content), shown)


def _curl(method: str, path: str, operation: Schema, body: Schema) -> str:
    for parameter in operation["parameters"]:
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", _in_path(str(parameter["example"])))
    line = ["curl"] if method == "GET" else ["curl", "-X", method]
    if operation["security"]:
        line += ["-H", "x-api-key: KEY"]
    for parameter in operation["parameters"]:
        if parameter["in"] == "header" and parameter["required"]:
            line += ["-H", f"{parameter['name']}: 1"]
    if body:
        line += ["-H", f"Content-Type: {JSON}", "-d", json.dumps(body["example"], ensure_ascii=False)]
    elif "requestBody" in operation:
        line += ["-F", f"{FIELD}=@voicemail.wav"]
    return shlex.join([*line, BASE + path])


def _in_path(text: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-._~@:+" else f"%{ord(letter):02X}" for letter in text)


def _resolved(thing: Schema, components: Schema) -> Schema:
    while "$ref" in thing:
        _, _, kind, name = thing["$ref"].split("/")
        thing = components[kind][name]
    return thing
