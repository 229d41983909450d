"""Signing in at another site and coming back, as a browser does it that keeps to our policy."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_twisted
from attrs import evolve
from browser import checks
from browser.chromium import Chromium
from browser.looks import WIDE, WITHOUT_SCRIPT, Look
from browser.town import Town
from browser.words import word
from playwright.sync_api import Page, expect
from pytest_twisted import ensureDeferred
from support.openid import OpenIdServer
from twisted.internet.threads import deferToThread

DOMAIN = "grenoble.example.org"


@pytest_twisted.async_yield_fixture
async def server() -> AsyncIterator[OpenIdServer]:
    running = OpenIdServer(roles=["telephony"])
    running.start()
    yield running
    await running.stop()


@pytest.mark.parametrize("look", [WIDE, WITHOUT_SCRIPT], ids=lambda look: look.name)
@ensureDeferred
async def test_somebody_signs_in_elsewhere_and_out_again(
    chromium: Chromium, town: Town, server: OpenIdServer, look: Look
) -> None:
    name = f"camille-{look.name.replace(' ', '-')}"
    server.person = {"sub": name, "email": f"{name}@grenoble.example"}
    wanted = {**server.configuration, "auto_provisioning": True, "role_provisioning": "telephony"}
    assert town.boss.put(f"/api/spaces/{DOMAIN}/oidc", wanted).status == 200
    site = f"http://{town.host(DOMAIN)}:{town.flexid.port}"
    seen = evolve(look.at(site), elsewhere=server.url.rstrip("/"))
    await deferToThread(chromium.walk, sign_in_and_out, name, on=[seen])
    assert server.paths()[-1] == "/logout"
    server.person = {"sub": "stranger", "email": "stranger@localhost"}
    await deferToThread(chromium.walk, be_refused, look.width, on=[seen])


def sign_in_and_out(page: Page, name: str) -> None:
    go_there(page)
    expect(page).to_have_url("/dashboard")
    expect(page.get_by_role("main")).to_contain_text(name)
    page.get_by_role("button", name=word(page, "Sign out")).first.click()
    page.wait_for_url("**/login")
    expect(page.get_by_text(word(page, "You are signed out."))).to_be_visible()
    page.goto("/dashboard")
    page.wait_for_url("**/login?next=/dashboard")


def be_refused(page: Page, width: int) -> None:
    go_there(page)
    expect(page).to_have_url("/login")
    expect(page.get_by_role("alert")).to_be_visible()
    checks.fits(page, width)


def go_there(page: Page) -> None:
    page.goto("/login")
    page.get_by_role("link", name="127.0.0.1").click()
    page.get_by_role("button", name="Yes, me").click()
