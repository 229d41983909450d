"""The description of the API: whole, valid, and with examples that fit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypedDict

import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate
from pytest_twisted import ensureDeferred
from support.application import Application

from flexid.http.api.openapi import describe
from flexid.http.call import Call
from flexid.http.inputs import Input, Text64
from flexid.http.routes import ADMIN, PUBLIC, Routes
from flexid.http.site import DESCRIPTION, RESOURCES, every_route


@pytest.fixture(scope="module")
def description() -> dict[str, Any]:
    return describe((*RESOURCES, *DESCRIPTION))


def _operations(description: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            yield method.upper(), path, operation


def _examples(description: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], Any]]:
    """Yield everything that has a schema and an example, with its place."""
    for method, path, operation in _operations(description):
        place = f"{method} {path}"
        for parameter in operation["parameters"]:
            yield f"{place}, {parameter['name']}", parameter["schema"], parameter["example"]
        answers = [*operation["responses"].values(), operation.get("requestBody", {})]
        for content in (content for answer in answers for content in answer.get("content", {}).values()):
            if "example" in content:
                yield place, content["schema"], content["example"]
    for name, answer in description["components"]["responses"].items():
        content = answer["content"]["application/json"]
        yield name, content["schema"], content["example"]


def test_every_route_of_the_api_is_described_and_nothing_else(description: dict[str, Any]) -> None:
    described = {(method, path) for method, path, _ in _operations(description)}
    assert described == {(route.method, route.path) for route in every_route() if not route.portal}
    assert ("GET", "/api/openapi.json") in described


def test_the_description_is_valid(description: dict[str, Any]) -> None:
    validate(description)
    names = [operation["operationId"] for _, _, operation in _operations(description)]
    assert len(names) == len(set(names)) > 100


def test_every_example_fits_its_schema(description: dict[str, Any]) -> None:
    count = 0
    for place, schema, example in _examples(description):
        validator = OAS31Validator({**schema, "components": description["components"]})
        faults = [fault.message for fault in validator.iter_errors(example)]
        assert not faults, (place, faults)
        count += 1
    assert count > 200


def test_what_is_sent_has_its_bounds(description: dict[str, Any]) -> None:
    schemas = description["components"]["schemas"]
    account = schemas["AccountInput"]
    assert account["required"] == ["username", "password"]
    assert account["properties"]["display_name"]["anyOf"][0]["maxLength"] == 255
    assert account["properties"]["dtmf_protocol"]["anyOf"][0]["enum"] == ["sipinfo", "rfc2833", "sipmessage"]
    assert schemas["TypeInput"]["properties"]["key"]["pattern"] == "^[a-z0-9_-]+$"
    hue = schemas["SpaceInput"]["properties"]["theme_hue"]
    assert (hue["minimum"], hue["maximum"], hue["default"]) == (0, 360, 22)
    assert {"from", "to"} <= schemas["CallInput"]["properties"].keys()
    assert "email" not in schemas["RegistrationInput"]["properties"]


def test_an_answer_is_described_to_its_last_field(description: dict[str, Any]) -> None:
    schemas = description["components"]["schemas"]
    assert schemas
    for name, schema in schemas.items():
        assert list(_anything(schema)) == [], name


def _anything(schema: Any, where: str = "") -> Iterator[str]:
    """Return where a schema lets anything through."""
    if isinstance(schema, dict):
        if schema.get("additionalProperties") in ({}, True) or schema.get("items") == {}:
            yield where
        for key, inner in schema.items():
            yield from _anything(inner, f"{where}/{key}")
    elif isinstance(schema, list):
        for inner in schema:
            yield from _anything(inner, where)


def test_a_patch_may_be_sent_as_what_it_is(description: dict[str, Any]) -> None:
    body = description["paths"]["/api/accounts/{account_id}"]["patch"]["requestBody"]["content"]
    assert body["application/merge-patch+json"] == body["application/json"]


def test_an_operation_says_who_may_call_it_and_what_it_answers(description: dict[str, Any]) -> None:
    paths = description["paths"]
    ping = paths["/api/ping"]["get"]
    assert (ping["security"], ping["x-caller"]) == ([], "PUBLIC")
    assert "text/plain" in ping["responses"]["200"]["content"]
    assert paths["/api/accounts/me"]["get"]["security"] == [{"key": []}, {"digest": []}, {"bearer": []}]
    assert paths["/api/accounts"]["get"]["security"] == [{"key": []}]
    created = paths["/api/accounts"]["post"]
    assert {"200", "400", "401", "403", "413", "422", "503"} <= created["responses"].keys()
    assert {"200", "201"} <= paths["/api/accounts/{account_id}/external"]["post"]["responses"].keys()
    assert "409" in paths["/api/accounts/me/vcards-storage"]["post"]["responses"]
    assert "405" in paths["/api/accounts/{account_id}"]["delete"]["responses"]
    assert "405" not in paths["/api/statistics/messages"]["post"]["responses"]
    assert "410" in paths["/provisioning/{token}"]["get"]["responses"]
    listed = paths["/api/accounts"]["get"]
    assert {"page", "per_page"} <= {parameter["name"] for parameter in listed["parameters"]}
    assert listed["responses"]["200"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/AccountPage"
    }


@ensureDeferred
async def test_anybody_may_read_the_description(app: Application) -> None:
    reply = await app.nobody.get("/api/openapi.json")
    assert (reply.status, reply.headers["Content-Type"]) == (200, "application/json")
    assert reply.json["openapi"] == "3.1.0"
    assert reply.json == (await app.super_admin.get("/api/openapi.json")).json


class ThingInput(Input):
    """A thing to add."""

    name: Text64


class ThingAnswer(TypedDict):
    """A thing."""

    name: str
    seen_at: str | None


def test_a_new_route_is_described_from_its_declaration() -> None:
    routes = Routes("/api/things/{thing_id}", title="Things")

    @routes.post(caller=ADMIN, input=ThingInput, created=True)
    async def add(_: Call[Any], thing_id: int) -> list[ThingAnswer]:
        """Add a thing; 409 if it is there."""
        raise NotImplementedError(thing_id)

    operation = describe([routes])["paths"]["/api/things/{thing_id}"]["post"]
    assert (operation["operationId"], operation["summary"]) == (
        "test_description_add",
        "Add a thing; 409 if it is there.",
    )
    assert operation["parameters"][0]["schema"]["type"] == "integer"
    assert {"201", "409", "422"} <= operation["responses"].keys()
    shown = operation["responses"]["201"]["content"]["application/json"]["schema"]
    assert shown == {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}}


def test_what_cannot_be_described_is_refused() -> None:
    routes = Routes("/api/things", title="Things")

    @routes.get(caller=PUBLIC)
    async def show(_: Call[Any]) -> complex:
        """Show something that JSON does not know."""
        raise NotImplementedError

    with pytest.raises(TypeError, match="complex"):
        describe([routes])


def test_two_routes_of_one_name_are_refused() -> None:
    routes = Routes("/api", title="Things")

    @routes.get("/one", caller=PUBLIC)
    @routes.get("/two", caller=PUBLIC)
    async def show(_: Call[Any]) -> int:
        """Show a number."""
        raise NotImplementedError

    with pytest.raises(TypeError, match="another route is called test_description_show"):
        describe([routes])
