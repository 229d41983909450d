"""Every route and six callers, generated from the declarations."""

from __future__ import annotations

import re

from pytest_twisted import ensureDeferred
from support.application import TENANT, Application
from support.web import Browser

from flexid.http.routes import ADMIN, PUBLIC, SUPER_ADMIN, USER, Route
from flexid.http.site import every_route

ALLOWED = {
    PUBLIC: {"none", "other user", "other admin", "user", "admin", "super admin"},
    USER: {"user", "admin", "super admin"},
    ADMIN: {"admin", "super admin"},
    SUPER_ADMIN: {"super admin"},
}


async def _callers(app: Application) -> dict[str, Browser]:
    await app.super_admin.post(
        "/api/spaces", {"name": "Other", "domain": "other.example.org", "host": "other.localhost"}
    )
    others = {}
    for name, admin in (("eve", False), ("mallory", True)):
        fields = {"username": name, "password": "some_password", "domain": "other.example.org", "admin": admin}
        others[name] = (await app.super_admin.post("/api/accounts", fields)).json
    user = await app.has_account("bob")
    return {
        "none": app.nobody,
        "other user": app.user(others["eve"]),
        "other admin": app.user(others["mallory"]),
        "user": app.user(user),
        "admin": app.admin,
        "super admin": app.super_admin.at(app.admin.host),
    }


def _routes() -> list[Route]:
    """Return all routes but those of pages, whose callers sign in otherwise: see portal/test_page_permissions.py."""
    return [route for route in every_route() if not route.portal]


def _path(route: Route, account_id: int) -> str:
    path = route.path.replace("{account_id}", str(account_id)).replace("{sip}", f"victim@{TENANT}")
    path = path.replace("{email}", "victim@example.org").replace("{domain}", TENANT).replace("{code}", "FR")
    return re.sub(r"\{\w+\}", "unknown", re.sub(r"\{\w+_id\}", "999999", path))


@ensureDeferred
async def test_a_route_answers_those_who_may_and_refuses_all_others(app: Application) -> None:
    callers = await _callers(app)
    victim = await app.has_account("victim", email="victim@example.org", dtmf_protocol="sipinfo")
    await app.change("UPDATE spaces SET carddav_user_credentials = true")
    harmless = [route for route in _routes() if route.method != "DELETE" and "/me" not in route.path]
    assert len(harmless) > 25
    for route in harmless:
        for name, browser in callers.items():
            reply = await browser.ask(route.method, _path(route, victim["id"]), x_linphone_provisioning="1")
            refused = reply.status in {401, 403}
            assert refused != (name in ALLOWED[route.caller]), (route.method, route.path, name, reply.status)
            assert (reply.status == 401) == (refused and name == "none"), (route.path, name, reply.status)


@ensureDeferred
async def test_own_routes_are_closed_to_strangers(app: Application) -> None:
    callers = await _callers(app)
    for route in (route for route in _routes() if "/me" in route.path and route.caller is USER):
        for name in ("none", "other user", "other admin"):
            reply = await callers[name].ask(route.method, _path(route, 1), x_linphone_provisioning="1")
            assert reply.status == (401 if name == "none" else 403), (route.path, name)


@ensureDeferred
async def test_another_spaces_accounts_look_absent_to_its_administrators_and_stay_unchanged(app: Application) -> None:
    callers = await _callers(app)
    victim = await app.has_account("victim", email="victim@example.org")
    mallory = callers["other admin"].at("other.localhost")
    before = (await app.admin.get(f"/api/accounts/{victim['id']}")).json
    routes = [route for route in _routes() if route.caller is ADMIN and re.search(r"account_id|sip|email}", route.path)]
    assert len(routes) >= 11
    for route in routes:
        body = {"username": "victim", "password": "stolen_password", "value": "stolen"} if route.input else None
        reply = await mallory.ask(route.method, _path(route, victim["id"]), body)
        assert reply.status == 404, (route.method, route.path)
    assert (await app.admin.get(f"/api/accounts/{victim['id']}")).json == before
    listed = (await mallory.get("/api/accounts")).json
    assert {account["domain"] for account in listed["data"]} == {"other.example.org"}
