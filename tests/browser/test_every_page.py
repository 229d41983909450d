"""Every page that there is, wide and on a phone: nothing goes wrong on it, and everybody can use it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from browser import checks, newcomers
from browser.chromium import Chromium
from browser.doors import Doors
from browser.looks import PHONE, WIDE, Look
from browser.town import DEVICES
from browser.words import word
from playwright.sync_api import Page
from support.flexid_process import running

from flexid.http.routes import ADMIN, PUBLIC, SUPER_ADMIN, USER, Route
from flexid.http.site import every_route

NO_PAGES = {
    "/authenticate/qrcode/{token}/attached",
    "/authenticate/qrcode/{token}/image",
    "/dashboard/qrcode",
    "/login/oidc",
    "/login/oidc/redirect",
    "/auth_token/{token}/qrcode",
    "/admin/accounts/export",
    "/admin/accounts/{account_id}/qrcode",
    "/admin/spaces/{domain}/logo",
    "/wizard/qrcode",
    "/wizard/{token}/qrcode",
}
"""What pages ask for by themselves, pictures and whether something has happened; files; and what leads elsewhere."""
IN_DEVELOPMENT_ONLY = {"/styleguide"}
FORBIDDEN = {"/blocked"}
"""Pages that say no."""
QUERIES = {
    "/admin/accounts/{account_id}/dictionary/edit": "?key=department",
    "/admin/accounts/{account_id}/dictionary/delete": "?key=department",
}
QUERIES |= dict.fromkeys(
    ("/devices/delete", "/admin/accounts/{account_id}/devices/delete"), f"?uuid={next(iter(DEVICES))}"
)
EMAIL = "k.benali@example.org"
"""Of somebody who has forgotten his password."""
PAGES = [
    route
    for route in every_route()
    if route.portal and route.method == "GET" and route.path not in NO_PAGES | IN_DEVELOPMENT_ONLY
]


@pytest.mark.parametrize("look", [WIDE, PHONE], ids=lambda look: look.name)
@pytest.mark.parametrize("route", PAGES, ids=lambda route: route.path)
def test_a_page_is_well(chromium: Chromium, doors: Doors, route: Route, look: Look) -> None:
    looks = [_look(doors, route, look)]
    if route.path == "/recovery/password":
        town = doors.town
        state = chromium.walk(newcomers.ask_for_a_password, EMAIL, on=looks)
        looks = [each.at(town.telecom, state) for each in looks]
        chromium.walk(choose_a_password, town.code(EMAIL), on=looks)
    elif route.path in BY_CLICKING:
        chromium.walk(come_and_look, route.path, on=looks)
    else:
        chromium.walk(look_at, _address(doors, route), look, on=looks, refused=FORBIDDEN)


def test_every_page_has_an_address(doors: Doors) -> None:
    for route in PAGES:
        assert route.path in BY_CLICKING or "{" not in _address(doors, route), (
            f"{route.path}: tests/browser does not know how to come there"
        )


def test_the_styleguide_is_well(chromium: Chromium) -> None:
    with running(development="1") as flexid:
        for look in (WIDE, PHONE):
            chromium.walk(look_at, "/styleguide", look, on=[look.at(f"http://localhost:{flexid.port}")])


def _look(doors: Doors, route: Route, look: Look) -> Look:
    visitors = {PUBLIC: doors.stranger, USER: doors.user, ADMIN: doors.admin, SUPER_ADMIN: doors.super_admin}
    return visitors[route.caller](look)


def _address(doors: Doors, route: Route) -> str:
    known = {"account_id": str(doors.town.accounts["alice.martin"]["id"]), "domain": "sip.example.org"}
    known |= {"uuid": doors.town.voicemail, "kind": "busy", "webhook_id": str(doors.town.webhook)}
    if route.path.startswith("/wizard/"):
        known["token"] = doors.town.wizard(doors.town.accounts["alice.martin"]["id"])
    elif route.path.startswith("/reset_password/"):
        known["token"] = doors.town.password_reset("alice.martin")
    elif route.path.startswith("/recovery/phone/"):
        known["account_recovery_token"] = doors.town.recovery_token()
    elif route.path.startswith("/creation_token/"):
        known["token"] = doors.town.creation_request()
    path = re.sub(r"\{(\w+)\}", lambda name: known.get(name[1], name[0]), route.path)
    return path + QUERIES.get(route.path, "")


def look_at(page: Page, address: str, look: Look) -> None:
    answer = page.goto(address)
    assert answer
    assert answer.status == (403 if address in FORBIDDEN else 200), answer.status
    assert answer.headers["content-type"].startswith("text/html"), f"{address} is no page: name it in NO_PAGES"
    see_that_it_is_well(page, look.width)


def come_and_look(page: Page, path: str) -> None:
    BY_CLICKING[path](page)
    size = page.viewport_size
    assert size
    see_that_it_is_well(page, size["width"])


def see_that_it_is_well(page: Page, width: int) -> None:
    checks.has_one_heading(page)
    checks.fits(page, width)
    checks.accessible(page)
    checks.works_by_keyboard(page)


def choose_a_password(page: Page, code: str) -> None:
    newcomers.type_the_code(page, "/recovery/confirm", code)
    come_and_look(page, "/recovery/password")


def _to_the_code_of_a_newcomer(page: Page) -> None:
    newcomers.register(page, f"newcomer-{time.time_ns()}")


def _to_the_code_of_somebody_forgetful(page: Page) -> None:
    page.goto("/recovery/email")
    page.get_by_label(word(page, "Email")).fill("nobody@example.org")
    page.get_by_role("button", name=word(page, "Send me a code")).click()
    page.wait_for_url("**/recovery/confirm")


def _to_the_code_for_an_email_address(page: Page) -> None:
    page.goto("/email/change")
    page.get_by_label(word(page, "New email address")).fill("alice@example.net")
    page.get_by_role("button", name=word(page, "Send me a code")).click()
    page.wait_for_url("**/email/validate")


def _to_the_code_for_a_phone_number(page: Page) -> None:
    page.goto("/phone/change")
    page.get_by_label(word(page, "New phone number")).fill("+33 2 61 91 44 19")
    page.get_by_role("button", name=word(page, "Send me a code")).click()
    page.wait_for_url("**/phone/validate")


def _stay(page: Page) -> None:
    """Look at the page that the walk has come to."""
    page.wait_for_url("**/recovery/password")


def _to_a_code_to_sign_in_with(page: Page) -> None:
    page.goto("/authenticate/qrcode")
    page.wait_for_url("**/authenticate/qrcode/*")


def _to_a_code_for_a_device(page: Page) -> None:
    page.goto("/auth_token")
    page.get_by_role("button", name=word(page, "Show a code")).click()
    page.wait_for_url("**/auth_token/*")


def _to_the_end_of_a_key(page: Page) -> None:
    page.goto("/admin/api_keys")
    page.get_by_label(word(page, "Name"), exact=True).fill("a key to be deleted")
    page.get_by_role("button", name=word(page, "Make the key")).click()
    page.get_by_role("link", name=word(page, "Delete…")).first.click()


BY_CLICKING: dict[str, Callable[[Page], None]] = {
    "/authenticate/qrcode/{token}": _to_a_code_to_sign_in_with,
    "/register/code": _to_the_code_of_a_newcomer,
    "/recovery/confirm": _to_the_code_of_somebody_forgetful,
    "/recovery/password": _stay,
    "/email/validate": _to_the_code_for_an_email_address,
    "/phone/validate": _to_the_code_for_a_phone_number,
    "/auth_token/{token}": _to_a_code_for_a_device,
    "/admin/api_keys/{key_id}/delete": _to_the_end_of_a_key,
}
"""Pages whose address nobody knows before, and how somebody comes there."""
