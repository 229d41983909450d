"""Account creation request tokens, and the page on which people validate them."""

from __future__ import annotations

from pytest_twisted import ensureDeferred
from support.application import TENANT_HOST, Application, at_once
from support.portal import Visitor
from support.web import Reply

EXCHANGE = "/api/account_creation_tokens/using-account-creation-request-token"


async def _requested(app: Application) -> tuple[str, str]:
    """Return a new token, and the path of its page."""
    reply = await app.nobody.post("/api/account_creation_request_tokens")
    assert reply.status == 201
    token = reply.json["token"]
    path = f"/creation_token/check/{token}"
    assert reply.json == {"token": token, "validation_url": f"http://{TENANT_HOST}{path}"}
    assert len(token) == 13
    return token, path


async def _validated(visitor: Visitor, token: str) -> Reply:
    return await visitor.submit("/creation_token/validate", {"account_creation_request_token": token})


async def _exchanged(app: Application, token: object) -> Reply:
    return await app.nobody.post(EXCHANGE, {"account_creation_request_token": token})


@ensureDeferred
async def test_a_person_validates_a_token_and_the_application_exchanges_it(app: Application) -> None:
    token, path = await _requested(app)
    assert (await _exchanged(app, token)).status == 404
    person = app.visitor()
    assert 'action="/creation_token/validate"' in (await person.open(path)).text
    assert (await _exchanged(app, token)).status == 404
    reply = await _validated(person, token)
    assert (reply.status, reply.headers["Location"]) == (303, path)
    assert "go back to the application" in (await person.follow(reply)).text
    exchanged = await _exchanged(app, token)
    assert exchanged.status == 201
    assert len(exchanged.json["token"]) == 13
    assert (exchanged.json["ip"], exchanged.json["used"], exchanged.json["expire_at"]) == ("127.0.0.1", False, None)
    body = {"username": "erin", "password": "erin_password", "account_creation_token": exchanged.json["token"]}
    assert (await app.nobody.post("/api/accounts/with-account-creation-token", body)).status == 200
    again = await _exchanged(app, token)
    assert (again.status, list(again.json["errors"])) == (422, ["account_creation_request_token"])
    assert (await person.open(path)).status == 404
    assert (await _validated(person, token)).status == 404


@ensureDeferred
async def test_a_token_that_is_none_is_invalid(app: Application) -> None:
    for token in ("unknown", None, "", ["x"], "x" * 65, "a\0b"):
        reply = await _exchanged(app, token)
        assert (reply.status, list(reply.json["errors"])) == (422, ["account_creation_request_token"])
    assert (await app.visitor().open("/creation_token/check/unknown")).status == 404
    visitor = app.visitor()
    await visitor.open("/login")
    assert (await _validated(visitor, "unknown")).status == 404
    assert (await _validated(visitor, "")).status == 422


@ensureDeferred
async def test_of_a_hundred_exchanges_of_a_token_one_succeeds(app: Application) -> None:
    token, path = await _requested(app)
    person = app.visitor()
    await person.open(path)
    for _ in range(2):
        assert (await _validated(person, token)).status == 303
    replies = await at_once(*(_exchanged(app, token) for _ in range(100)))
    assert sorted(reply.status for reply in replies) == [201] + [422] * 99
    (linked,) = app.sql(
        "SELECT c.token FROM account_creation_request_tokens r"
        " JOIN account_creation_tokens c ON c.id = r.account_creation_token_id"
    )
    assert [linked["token"]] == [reply.json["token"] for reply in replies if reply.status == 201]


@ensureDeferred
async def test_a_token_holds_in_its_own_space_only(app: Application) -> None:
    token, path = await _requested(app)
    elsewhere = app.visitor("localhost")
    assert (await elsewhere.open(path)).status == 404
    await elsewhere.open("/login")
    assert (await _validated(elsewhere, token)).status == 404
    person = app.visitor()
    await person.open(path)
    await _validated(person, token)
    assert (await app.browser.post(EXCHANGE, {"account_creation_request_token": token})).status == 422
    assert (await _exchanged(app, token)).status == 201


@ensureDeferred
async def test_the_page_speaks_french(app: Application) -> None:
    _, path = await _requested(app)
    page = await app.visitor().open(path, accept_language="fr")
    assert "Une application veut créer un compte" in page.text
