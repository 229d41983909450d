"""The description of the API in Schemathesis's hands."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import requests
import schemathesis
from attrs import define, field
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from support.flexid_process import Caller

CONFORMING = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
UNEQUIPPED = ("push",)
"""In paths of what needs a program that is not set up here: 503 is right."""


def _with_nothing_else(description: dict[str, Any]) -> dict[str, Any]:
    """Return a description in which answers have the fields that are named, and no other."""
    schemas = {
        name: schema
        if name.endswith("Input") or "properties" not in schema
        else {**schema, "additionalProperties": False}
        for name, schema in description["components"]["schemas"].items()
    }
    return {**description, "components": {**description["components"], "schemas": schemas}}


@define
class Described:
    """An API, asked by what it says of itself."""

    description: dict[str, Any]
    url: str
    known: Mapping[str, object]
    """What is there, by the names of parameters in paths."""
    ours: frozenset[int]
    """Accounts that nobody may change: they ask."""
    session: requests.Session = field(factory=requests.Session)
    seen: list[int] = field(factory=list)
    """The statuses of all answers."""
    _schema: Any = None

    def __attrs_post_init__(self) -> None:
        self._schema = schemathesis.openapi.from_dict(_with_nothing_else(self.description))
        self._schema.config.update(base_url=self.url)

    def ask(self, method: str, path: str, caller: Caller, examples: int) -> None:
        """Ask an endpoint so often: for what is there, for anything, and for what its description forbids."""
        operation = self._schema[path][method]
        if known := self._known(path, method):
            self._ask_with(operation.as_strategy(path_parameters=known), caller, examples)
        self._ask_with(operation.as_strategy(), caller, examples)
        if operation.body:
            self._ask_with(operation.as_strategy(GenerationMode.NEGATIVE), caller, examples)

    def _known(self, path: str, method: str) -> dict[str, object]:
        parameters = self.description["paths"][path][method.lower()]["parameters"]
        names = [parameter["name"] for parameter in parameters if parameter["in"] == "path"]
        return {name: self.known[name] for name in names if name in self.known}

    def _ask_with(self, cases: Any, caller: Caller, examples: int) -> None:
        @settings(
            max_examples=examples,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=cases)
        def conforms(case: Any) -> None:
            if (case.path_parameters or {}).get("account_id") in self.ours:
                return
            answer = case.call(session=self.session, headers=caller.headers)
            self.seen.append(answer.status_code)
            may_lack = answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE and any(
                word in case.operation.path for word in UNEQUIPPED
            )
            case.validate_response(answer, checks=CONFORMING if may_lack else [not_a_server_error, *CONFORMING])

        conforms()
