"""JSON Schemas of what goes over the wire, from the types that handlers and inputs declare."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints, is_typeddict

from attrs import define, field

from flexid.http.inputs import Input

Schema = dict[str, Any]
PLAIN: Mapping[object, Schema] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    Any: {},
    object: {},
    NoneType: {"type": "null"},
}
_REFERENCE = "#/components/schemas/"


@define
class Schemas:
    """The schemas that a description refers to by name; each type has one."""

    named: dict[str, Schema] = field(factory=dict)
    _types: dict[str, type] = field(factory=dict)

    def of(self, annotation: Any) -> Schema:
        """Return the schema of a type: plain ones, unions, lists, dictionaries with text as keys, TypedDicts, inputs.

        :raise TypeError: it is none of these.
        """
        if annotation in PLAIN:
            return dict(PLAIN[annotation])
        if isinstance(annotation, type) and issubclass(annotation, Input):
            return self._of_input(annotation)
        if is_typeddict(get_origin(annotation) or annotation):
            return self._of_answer(get_origin(annotation) or annotation, get_args(annotation))
        return self._of_composed(annotation, get_origin(annotation), get_args(annotation))

    def resolved(self, schema: Schema) -> Schema:
        """Return a schema itself, where this one refers to it."""
        return self.named[schema["$ref"].removeprefix(_REFERENCE)] if "$ref" in schema else schema

    def _of_composed(self, annotation: Any, origin: Any, arguments: tuple[Any, ...]) -> Schema:
        if origin in {Union, UnionType}:
            return {"anyOf": [self.of(each) for each in arguments]}
        if origin is Literal:
            return {"enum": list(arguments)}
        if origin in {list, Sequence}:
            return {"type": "array", "items": self.of(arguments[0])}
        if origin in {dict, Mapping}:
            return {"type": "object", "additionalProperties": self.of(arguments[1])}
        raise TypeError(f"no JSON Schema for {annotation!r}")

    def _of_answer(self, answer: type, arguments: tuple[Any, ...]) -> Schema:
        name = "".join(each.__name__.removesuffix("Answer") for each in (*arguments, answer))
        if self._is_new(name, answer):
            values = dict(zip(getattr(answer, "__parameters__", ()), arguments, strict=True))
            self.named[name] = {}  # it may contain itself
            self.named[name] = {
                "type": "object",
                "description": inspect.getdoc(answer),
                "properties": {
                    key: _as_time(key, self.of(_filled(hint, values))) for key, hint in get_type_hints(answer).items()
                },
                "required": sorted(answer.__required_keys__),  # type: ignore[attr-defined]  # it is a TypedDict
            }
        return {"$ref": _REFERENCE + name}

    def _of_input(self, model: type[Input]) -> Schema:
        if self._is_new(model.__name__, model):
            schema = model.model_json_schema(ref_template=_REFERENCE + "{model}")
            for name, inner in schema.pop("$defs", {}).items():
                self.named[name] = _tidy(inner)
            self.named[model.__name__] = _tidy(schema)
        return {"$ref": _REFERENCE + model.__name__}

    def _is_new(self, name: str, described: type) -> bool:
        known = self._types.setdefault(name, described)
        if known is not described:
            raise TypeError(f"{described.__module__} and {known.__module__} both have a {name}: give one another name")
        return name not in self.named


def _filled(hint: Any, values: Mapping[Any, Any]) -> Any:
    """Put the types of a generic answer in their places."""
    if isinstance(hint, TypeVar):
        return values[hint]
    return hint[tuple(values[each] for each in hint.__parameters__)] if getattr(hint, "__parameters__", ()) else hint


def _as_time(name: str, schema: Schema) -> Schema:
    """Say that `…_at` is a time: answers have no other type for it than text."""
    if not name.endswith("_at"):
        return schema
    if "anyOf" in schema:
        return {"anyOf": [_as_time(name, each) for each in schema["anyOf"]]}
    return {**schema, "format": "date-time"} if schema.get("type") == "string" else schema


def _tidy(schema: Schema) -> Schema:
    """Leave out what only repeats: titles made of names, null as default, the length of words that are listed."""
    tidy = {
        key: value
        for key, value in schema.items()
        if not (key == "title" and isinstance(value, str))
        and not (key == "default" and value is None)
        and not (key == "maxLength" and "enum" in schema)
    }
    if "properties" in tidy:
        tidy["properties"] = {name: _tidy(each) for name, each in tidy["properties"].items()}
    if "anyOf" in tidy:
        tidy["anyOf"] = [_tidy(each) for each in tidy["anyOf"]]
    return tidy
