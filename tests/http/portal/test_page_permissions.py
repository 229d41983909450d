"""Every page and six visitors, generated from the declarations."""

from __future__ import annotations

import re

from pytest_twisted import ensureDeferred
from support.application import SUPER, TENANT, Application
from support.portal import Visitor

from flexid.http.routes import ADMIN, PUBLIC, SUPER_ADMIN, USER, Route
from flexid.http.site import every_route

PASSWORD = "some_password"
ALLOWED = {
    PUBLIC: {"none", "user", "admin", "super admin"},
    USER: {"user", "admin", "super admin"},
    ADMIN: {"admin", "super admin"},
    SUPER_ADMIN: {"super admin"},
}


def _pages() -> list[Route]:
    return [route for route in every_route() if route.portal]


def _path(route: Route, account_id: int) -> str:
    path = re.sub(r"\{\w+_id\}", str(account_id), route.path).replace("{domain}", TENANT).replace("{code}", "FR")
    return re.sub(r"\{\w+\}", "unknown", path)


async def _visitors(app: Application) -> dict[str, Visitor]:
    await app.has_account("bob", password=PASSWORD)
    await app.has_account("chief", password=PASSWORD, admin=True)
    boss = {"username": "boss", "password": PASSWORD, "admin": True}
    assert (await app.super_admin.post("/api/accounts", boss)).status == 200
    boss_visitor = app.visitor()
    assert (await boss_visitor.sign_in(f"boss@{SUPER}", PASSWORD)).status == 303
    return {
        "none": app.visitor(),
        "user": await app.signed_in("bob", PASSWORD),
        "admin": await app.signed_in("chief", PASSWORD),
        "super admin": boss_visitor,
    }


@ensureDeferred
async def test_a_page_is_open_to_those_who_may_see_it_and_to_nobody_else(app: Application) -> None:
    visitors = await _visitors(app)
    victim = await app.has_account("victim")
    pages = [route for route in _pages() if route.method == "GET"]
    assert len(pages) > 10
    for route in pages:
        for name, visitor in visitors.items():
            reply = await visitor.open(_path(route, victim["id"]))
            to_login = reply.status == 303 and reply.headers["Location"].startswith("/login?next=")
            may = name in ALLOWED[route.caller]
            assert reply.status < 500, (route.path, name)
            if route.caller is not PUBLIC:
                assert (reply.status == 403 or to_login) != may, (route.path, name, reply.status)
                assert to_login == (name == "none"), (route.path, name, reply.status)


@ensureDeferred
async def test_a_form_is_taken_from_those_who_may_send_it_and_from_nobody_else(app: Application) -> None:
    visitors = await _visitors(app)
    victim = await app.has_account("victim")
    forms = [route for route in _pages() if route.is_form and route.caller is not PUBLIC]
    assert len(forms) > 3
    for route in forms:
        for name, visitor in visitors.items():
            if name in ALLOWED[route.caller]:
                continue
            await visitor.open("/about")
            reply = await visitor.submit(_path(route, victim["id"]), {"_method": route.method})
            refused = reply.status == 403 if name != "none" else reply.headers["Location"] == "/login"
            assert refused, (route.method, route.path, name, reply.status)


@ensureDeferred
async def test_no_form_does_anything_without_its_secret(app: Application) -> None:
    visitors = await _visitors(app)
    victim = await app.has_account("victim")
    before = app.sql("SELECT count(*) AS n, sum(extract(epoch FROM updated_at)) AS t FROM accounts")
    for route in (route for route in _pages() if route.is_form):
        visitor = visitors["super admin" if route.caller is not USER else "user"]
        await visitor.open("/about")
        for token in ("", visitors["none"].csrf_token, "0" * 32):
            visitor.csrf_token = token
            reply = await visitor.submit(_path(route, victim["id"]), {"_method": route.method})
            assert reply.status == 403, (route.method, route.path)
    assert app.sql("SELECT count(*) AS n, sum(extract(epoch FROM updated_at)) AS t FROM accounts") == before


@ensureDeferred
async def test_the_key_of_the_api_opens_no_page_and_a_session_no_api(app: Application) -> None:
    await app.has_account("bob", password=PASSWORD)
    reply = await app.admin.get("/dashboard", Accept="text/html")
    assert reply.headers["Location"] == "/login?next=/dashboard"
    visitor = await app.signed_in("bob", PASSWORD)
    assert (await visitor.open("/api/accounts/me")).status == 401
