"""Forms that only people send."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_twisted
from pytest_twisted import ensureDeferred
from support.application import Application
from support.captcha import PERSON, SECRET, SITE_KEY, CaptchaServer
from support.codes import sent
from support.portal import Visitor
from support.web import Reply

from flexid.http.pages import PROTECTION
from flexid.outbound import captcha

POLICY = "Content-Security-Policy"
FIELD = "h-captcha-response"
PASSWORD = {"password": "erins password", "password_confirmation": "erins password"}
REGISTRATION = {
    "username": "erin",
    **PASSWORD,
    "email": "erin@example.org",
    "email_confirmation": "erin@example.org",
    "terms": "1",
}


@pytest_twisted.async_yield_fixture
async def server() -> AsyncIterator[CaptchaServer]:
    running = CaptchaServer()
    running.start()
    yield running
    await running.stop()


@pytest.fixture
def settings(server: CaptchaServer) -> dict[str, object]:
    return {"captcha": server.settings}


async def _request(app: Application) -> str:
    token: str = (await app.nobody.post("/api/account_creation_request_tokens")).json["token"]
    return token


async def _forms(app: Application) -> list[tuple[str, str, dict[str, str]]]:
    """Return the page, the target and the fields of every form that only people send."""
    app.sql("UPDATE phone_countries SET activated = true WHERE code = 'FR'")
    app.sql(
        "INSERT INTO account_recovery_tokens (domain, token, pn_provider)"
        " VALUES ('tenant.example.org', 'recovery-token', 'fcm')"
    )
    number = "+33612345678"
    by_phone = {**REGISTRATION, "username": "frank", "phone": number, "phone_confirmation": number}
    request = await _request(app)
    return [
        ("/register/email", "/register/email", REGISTRATION),
        ("/register/phone", "/register/phone", by_phone),
        ("/recovery/email", "/recovery", {"email": "erin@example.org"}),
        (
            "/recovery/phone/recovery-token",
            "/recovery",
            {"account_recovery_token": "recovery-token", "phone": number},
        ),
        (f"/creation_token/check/{request}", "/creation_token/validate", {"account_creation_request_token": request}),
    ]


async def _send(app: Application, path: str, target: str, fields: dict[str, str]) -> tuple[Visitor, Reply]:
    visitor = app.visitor()
    assert (await visitor.open(path)).status == 200
    return visitor, await visitor.submit(target, fields)


@ensureDeferred
async def test_each_form_has_the_widget_and_its_page_lets_it_in_and_no_other_page_does(app: Application) -> None:
    for path, _, _ in await _forms(app):
        shown = await app.visitor().open(path, accept_language="fr")
        assert f'data-sitekey="{SITE_KEY}"' in shown.text, path
        assert 'src="https://js.hcaptcha.com/1/api.js?hl=fr"' in shown.text
        assert "<noscript>" in shown.text
        policy = dict(part.strip().split(" ", 1) for part in shown.headers[POLICY].split(";"))
        hosts = "https://hcaptcha.com https://*.hcaptcha.com"
        for directive in ("script-src", "style-src", "connect-src"):
            assert policy[directive] == f"'self' {hosts}"
        assert policy["frame-src"] == hosts
        assert (policy["default-src"], policy["img-src"], policy["form-action"]) == ("'none'", "'self'", "'self'")
        assert SECRET not in shown.text
    for path in ("/login", "/about", "/register"):
        assert (await app.visitor().open(path)).headers[POLICY] == PROTECTION[POLICY]


@ensureDeferred
async def test_a_person_may_send_each_form(app: Application, server: CaptchaServer) -> None:
    for number, (path, target, fields) in enumerate(await _forms(app)):
        _, reply = await _send(app, path, target, {**fields, FIELD: f"{PERSON} {number}"})
        assert reply.status == 303, (path, reply.text)
    assert [asked["remoteip"] for asked in server.asked] == ["127.0.0.1"] * 5
    assert app.services.person_check.outcomes == {"passed": 5}


@ensureDeferred
async def test_a_program_may_send_none_and_learns_nothing(app: Application, server: CaptchaServer) -> None:
    await app.has_account("erin", email="erin@example.org")
    for path, target, fields in await _forms(app):
        for response in ({}, {FIELD: "guess"}):
            _, reply = await _send(app, path, target, {**fields, **response})
            assert reply.status == 422, path
            assert "Please confirm once more that you are a person" in reply.text
            assert "taken" not in reply.text
            assert f'data-sitekey="{SITE_KEY}"' in reply.text
    assert len(server.asked) == 5
    assert sent(app) == app.sql("SELECT 1 FROM recoveries") == app.sql("SELECT 1 FROM registrations") == []
    assert app.sql("SELECT 1 FROM account_recovery_tokens WHERE used") == []
    assert app.sql("SELECT 1 FROM account_creation_request_tokens WHERE validated_at IS NOT NULL") == []


@ensureDeferred
async def test_a_response_is_good_once(app: Application) -> None:
    answered = {FIELD: PERSON}
    _, reply = await _send(app, "/register/email", "/register/email", {**REGISTRATION, **answered, "terms": ""})
    assert "Please confirm once more" not in reply.text
    _, reply = await _send(app, "/register/email", "/register/email", {**REGISTRATION, **answered})
    assert "Please confirm once more" in reply.text


@ensureDeferred
async def test_while_nobody_can_tell_the_form_stays_to_be_sent_again(
    app: Application, server: CaptchaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(captcha, "SECONDS", 0.2)
    server.silent = True
    visitor, reply = await _send(app, "/register/email", "/register/email", {**REGISTRATION, FIELD: PERSON})
    assert (reply.status, "Retry-After" in reply.headers) == (503, True)
    assert "Nobody can check at the moment whether you are a person." in reply.text
    assert 'value="erin@example.org"' in reply.text
    assert POLICY in reply.headers
    assert "hcaptcha.com" in reply.headers[POLICY]
    server.silent = False
    assert (await visitor.submit("/register/email", {**REGISTRATION, FIELD: f"{PERSON} again"})).status == 303
    assert app.services.person_check.outcomes == {"away": 1, "passed": 1}


@pytest.mark.parametrize("settings", [{}])
@ensureDeferred
async def test_without_a_key_nobody_is_asked(app: Application) -> None:
    for path, target, fields in await _forms(app):
        shown = await app.visitor().open(path)
        assert ("captcha" in shown.text, shown.headers[POLICY]) == (False, PROTECTION[POLICY])
        assert (await _send(app, path, target, fields))[1].status == 303
