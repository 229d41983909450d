"""Pictures of the portal, for `make screenshots`: all in var/screenshots/, those of the README in docs/pictures/."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg2
from attrs import frozen
from browser import mail_pictures
from browser.chromium import launched
from browser.looks import Look
from browser.signing_in import state_after_signing_in
from browser.town import PASSWORD, Town, settle
from PIL import Image
from playwright.sync_api import Browser, Page
from support.flexid_process import ADDRESS, running

ROOT = Path(__file__).parents[2]
EVERY = ROOT / "var" / "screenshots"
BEST = ROOT / "docs" / "pictures"
OPERATOR = "example.org"
TELECOM, GRENOBLE, GROUP = (f"http://{host}" for host in (f"sip.{OPERATOR}", f"grenoble.{OPERATOR}", OPERATOR))
COLOURS = 128
AGES = """
UPDATE accounts SET
    created_at = now() - (id % 97 + 20) * interval '31 hours', updated_at = now() - id % 17 * interval '19 hours'
"""
# The pages ask for the system's font; a bare Debian has none that its users would call one.
IN_INTER = """
addEventListener("DOMContentLoaded", () =>
  document.documentElement.style.setProperty("--font", "Inter, system-ui, sans-serif"));
"""

WIDE = Look("wide", 1280, 860)
WIDE_FRENCH = Look("wide-dark-fr", 1280, 860, language="fr", dark=True)
PHONE_FRENCH = Look("phone-fr", 390, 844, language="fr", phone=True)
PHONE = Look("phone-dark", 390, 844, dark=True, phone=True)
LOOKS = (WIDE, WIDE_FRENCH, PHONE_FRENCH, PHONE)
README = {"accounts-wide", "dashboard-phone-dark"}


@frozen
class Shot:
    """A page: where, who looks at it, and what that one does there first."""

    name: str
    site: str
    path: str
    username: str | None = None
    act: Callable[[Page], Any] = lambda _: None


def _make_a_mistake(page: Page) -> None:
    page.locator("[name=custom_provisioning_entries]").fill("[net]\nmtu=1300\nfirewall policy")
    with page.expect_navigation():
        page.locator(".savebar button").click()


def _try_to_make_one_twice(page: Page) -> None:
    page.locator("[name=username]").fill("alice.martin")
    page.locator("[name=password]").fill("a good password")
    page.locator("[name=phone]").fill("12")
    with page.expect_navigation():
        page.locator(".savebar button").click()


SHOTS = (
    Shot("login", TELECOM, "/login"),
    Shot("login-grenoble", GRENOBLE, "/login"),
    Shot("qr-sign-in", TELECOM, "/authenticate/qrcode"),
    Shot("documentation", TELECOM, "/documentation"),
    Shot("dashboard", TELECOM, "/dashboard", "alice.martin"),
    Shot("password", TELECOM, "/password", "alice.martin"),
    Shot("deletion", TELECOM, "/delete", "alice.martin"),
    Shot("accounts", TELECOM, "/admin/accounts", "camille.roux"),
    Shot("accounts-found", TELECOM, "/admin/accounts?q=ar&status=active", "camille.roux"),
    Shot("account", TELECOM, "/admin/accounts/{alice}", "camille.roux"),
    Shot("account-edit", TELECOM, "/admin/accounts/{alice}/edit", "camille.roux"),
    Shot("account-refused", TELECOM, "/admin/accounts/create", "camille.roux", _try_to_make_one_twice),
    Shot("api-keys", TELECOM, "/admin/api_keys", "camille.roux"),
    Shot("webhooks", TELECOM, "/admin/webhooks", "camille.roux"),
    Shot("space", TELECOM, "/admin/spaces/sip.example.org", "camille.roux"),
    Shot("configuration", TELECOM, "/admin/spaces/sip.example.org/configuration", "camille.roux"),
    Shot(
        "configuration-refused",
        TELECOM,
        "/admin/spaces/sip.example.org/configuration",
        "camille.roux",
        _make_a_mistake,
    ),
    Shot("app", TELECOM, "/admin/spaces/sip.example.org/app", "camille.roux"),
    Shot("spaces", GROUP, "/admin/spaces", "admin"),
    Shot("administration", GROUP, "/admin/spaces/saint-martin.example.org/administration", "admin"),
    Shot("phone-countries", GROUP, "/admin/phone_countries", "admin"),
    Shot("styleguide", TELECOM, "/styleguide"),
)


def main() -> None:
    """Make all pictures."""
    EVERY.mkdir(parents=True, exist_ok=True)
    BEST.mkdir(parents=True, exist_ok=True)
    with running(root_host=OPERATOR, development="1") as flexid:
        town = settle(flexid, OPERATOR)
        _let_time_pass(town)
        # Made-up names lead to this machine; keys that copy appear where a page came safely.
        reached = f"--host-resolver-rules=MAP * {ADDRESS}:{flexid.port}"
        trusted = f"--unsafely-treat-insecure-origin-as-secure={TELECOM},{GRENOBLE},{GROUP}"
        with launched(reached, trusted) as browser:
            _take_all(browser, town)
            mail_pictures.take_all(browser, EVERY)


def _take_all(browser: Browser, town: Town) -> None:
    states: dict[str | None, Any] = {None: None}
    for shot in SHOTS:
        if shot.username not in states:
            states[shot.username] = _sign_in(browser, town, shot)
        for look in LOOKS:
            picture = _take(browser, town, shot, look.at(shot.site, states[shot.username]))
            name = f"{shot.name}-{look.name}"
            picture.save(EVERY / f"{name}.png")
            if name in README:
                picture.quantize(COLOURS, dither=Image.Dither.NONE).save(BEST / f"{name}.png", optimize=True)
        print(shot.name)  # noqa: T201  # whoever waits for the pictures sees how far it is


def _sign_in(browser: Browser, town: Town, shot: Shot) -> Any:
    with browser.new_context(**WIDE.at(shot.site).options()) as context:
        password = town.password if shot.username == "admin" else PASSWORD
        return state_after_signing_in(context.new_page(), shot.username or "", password)


def _take(browser: Browser, town: Town, shot: Shot, look: Look) -> Image.Image:
    with browser.new_context(**look.options(), device_scale_factor=2) as context:
        context.add_init_script(IN_INTER)
        page = context.new_page()
        page.goto(shot.path.format(alice=town.accounts["alice.martin"]["id"]))
        shot.act(page)
        in_readme = f"{shot.name}-{look.name}" in README
        return Image.open(io.BytesIO(page.screenshot(full_page=not in_readme))).convert("RGB")


def _let_time_pass(town: Town) -> None:
    """Let accounts be of different ages."""
    connection = psycopg2.connect(town.flexid.dsn())
    with connection, connection.cursor() as cursor:
        cursor.execute(AGES)
    connection.close()


if __name__ == "__main__":
    main()
