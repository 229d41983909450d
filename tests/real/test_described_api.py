"""Every endpoint, asked for what its description allows and forbids, answers as it is described."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from attrs import frozen
from real.described import Described
from support.flexid_process import Caller, running

from flexid.http.routes import USER, Route
from flexid.http.site import every_route

pytestmark = pytest.mark.real

EXAMPLES = 6
"""Of each kind, for each endpoint."""
CARD = "BEGIN:VCARD\r\nVERSION:4.0\r\nUID:known\r\nFN:Bob\r\nEND:VCARD\r\n"
A_TIME = "2026-01-31T09:30:00Z"


def _what_is_needed_goes_last(route: Route) -> tuple[bool, bool]:
    return route.method == "DELETE", "{" not in route.path


ROUTES = sorted((route for route in every_route() if not route.portal), key=_what_is_needed_goes_last)


@frozen
class Stage:
    """A flexid with one of everything, and who asks it."""

    described: Described
    admin: Caller
    user: Caller


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with running() as flexid:
        admin, user = flexid.create_admin("asks-as-admin"), flexid.create_admin("asks-as-user")
        ours = frozenset(account["id"] for account in admin.get("/api/accounts").json["data"])
        description = admin.get("/api/openapi.json").json
        described = Described(description, f"http://localhost:{flexid.port}", _one_of_everything(admin), ours)
        with described.session:
            yield Stage(described, admin, user)


def _one_of_everything(admin: Caller) -> dict[str, object]:
    """Return what is made, by the names of parameters in paths."""

    def make(path: str, **fields: Any) -> Any:
        answer = admin.post(f"/api{path}", fields)
        assert answer.status in {200, 201}, answer.text
        return answer.json

    owner = make(
        "/accounts", username="owner", password="the_password", email="owner@example.org", dtmf_protocol="rfc2833"
    )
    account = f"/accounts/{owner['id']}"
    make("/spaces", name="Known", domain="known.example.org", host="known.localhost")
    make("/statistics/messages", **{"id": "m1", "from": "a@localhost", "sent_at": A_TIME, "encrypted": True})
    make("/statistics/calls", **{"id": "c1", "from": "owner@localhost", "to": "b@localhost", "initiated_at": A_TIME})
    make(f"{account}/dictionary/known", value="yes")
    make(f"{account}/vcards-storage", vcard=CARD)
    make(f"{account}/external", username="o", domain="x.example.org", protocol="TLS", password="the_password")
    contact = make("/accounts", username="contact", password="the_password", dtmf_protocol="rfc2833")
    kind = make("/account_types", key="known")
    for person in (owner, contact):
        assert admin.post(f"/api/accounts/{person['id']}/types/{kind['id']}", None).status == 200
        make(f"/accounts/{person['id']}/actions", key="open", code="9")
    assert admin.post(f"/api{account}/contacts/{contact['id']}", None).status == 200
    return {
        "account_id": owner["id"],
        "contact_id": contact["id"],
        "type_id": kind["id"],
        "list_id": make("/contacts_lists", title="Known", description="Known")["id"],
        "action_id": make(f"{account}/actions", key="known", code="1")["id"],
        "forwarding_id": make(f"{account}/call_forwardings", type="busy", forward_to="voicemail")["id"],
        "carddav_id": make("/spaces/known.example.org/carddavs", uri="https://contacts.example.org/")["id"],
        "token": owner["provisioning_token"],
        "sip": "owner@localhost",
        "email": "owner@example.org",
        "domain": "known.example.org",
        "key": "known",
        "uuid": "known",
        "code": "FR",
        "message_id": "m1",
        "recipient": "b@localhost",
        "call_id": "c1",
    }


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_an_endpoint_answers_as_it_is_described(stage: Stage, route: Route) -> None:
    stage.described.ask(route.method, route.path, stage.user if route.caller is USER else stage.admin, EXAMPLES)


def test_there_was_much_to_look_at(stage: Stage) -> None:
    """Keep what stands above from being about refusals only."""
    seen = Counter(stage.described.seen)
    if sum(seen.values()) < len(ROUTES):
        pytest.skip("runs with the tests of all endpoints")
    assert seen[200] > 150
    assert seen[201] > 10
    assert seen[422] > 100
