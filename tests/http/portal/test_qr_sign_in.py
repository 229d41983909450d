from __future__ import annotations

from pytest_twisted import ensureDeferred
from support.application import Application
from support.portal import Visitor

PAGE = "/authenticate/qrcode"


async def _code(visitor: Visitor) -> str:
    reply = await visitor.open(PAGE)
    assert reply.status == 303
    path: str = reply.headers["Location"]
    shown = await visitor.open(path)
    assert (shown.status, f'data-poll="{path}/attached"' in shown.text) == (200, True)
    return path


@ensureDeferred
async def test_a_browser_signs_in_when_an_app_attaches_itself(app: Application) -> None:
    alice = await app.has_account("alice")
    visitor = app.visitor()
    path = await _code(visitor)
    assert (await visitor.open(f"{path}/attached")).json == {"attached": False}
    attach = f"/api/accounts/auth_token/{path.rpartition('/')[2]}/attach"
    assert (await app.user(alice).get(attach)).status == 200
    assert (await visitor.open(f"{path}/attached")).json == {"attached": True}
    reply = await visitor.open(path)
    assert (reply.status, reply.headers["Location"]) == (303, "/dashboard")
    assert "alice" in (await visitor.follow(reply)).text
    assert "qrcode" not in visitor.cookies


@ensureDeferred
async def test_a_browser_signs_in_when_a_signed_in_device_confirms(app: Application) -> None:
    await app.has_account("alice")
    visitor, phone = app.visitor(), app.visitor()
    path = await _code(visitor)
    to_login = await phone.open(path)
    assert to_login.headers["Location"] == f"/login?next={path}"
    await phone.sign_in("alice", "alice_password")
    asked = await phone.open(path)
    assert "127.0.0.1" in asked.text
    reply = await phone.submit(path)
    assert "The other device is signed in." in (await phone.follow(reply)).text
    assert (await visitor.open(path)).headers["Location"] == "/dashboard"
    assert (await visitor.open("/dashboard")).status == 200


@ensureDeferred
async def test_a_code_signs_in_the_browser_that_shows_it_and_no_other(app: Application) -> None:
    alice = await app.has_account("alice")
    visitor, victim = app.visitor(), app.visitor()
    path = await _code(visitor)
    await app.user(alice).get(f"/api/accounts/auth_token/{path.rpartition('/')[2]}/attach")
    assert (await victim.open(path)).headers["Location"].startswith("/login?next=")
    assert "session" not in victim.cookies
    await _code(victim)
    assert (await victim.open(path)).headers["Location"].startswith("/login?next=")


@ensureDeferred
async def test_a_code_that_is_over_gives_way_to_a_new_one(app: Application) -> None:
    visitor = app.visitor()
    path = await _code(visitor)
    assert (await visitor.open(PAGE)).headers["Location"] == path
    app.sql("UPDATE auth_tokens SET created_at = now() - interval '6 minutes'")
    assert (await visitor.open(f"{path}/attached")).status == 404
    assert (await visitor.open(path)).headers["Location"] == PAGE
    assert await _code(visitor) != path


@ensureDeferred
async def test_the_device_is_let_in_by_a_form_only(app: Application) -> None:
    await app.has_account("alice")
    visitor, phone = app.visitor(), await app.signed_in("alice")
    path = await _code(visitor)
    await phone.open(path)
    phone.csrf_token = "0" * 32
    assert (await phone.submit(path)).status == 403
    assert (await visitor.open(f"{path}/attached")).json == {"attached": False}
    assert (await phone.open(f"{PAGE}/unknown-token")).status == 404
