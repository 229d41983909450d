"""What users do with their own accounts."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from browser.chromium import Chromium
from browser.looks import PHONE, WIDE, WITHOUT_SCRIPT, Look
from browser.signing_in import sign_in
from browser.town import PASSWORD, Town
from browser.words import word
from playwright.sync_api import Page, expect


@pytest.fixture
def user(town: Town, request: pytest.FixtureRequest) -> str:
    """The name of somebody whose account no other test touches."""
    username = re.sub(r"\W+|_", "-", request.node.name.removeprefix("test_"))[:60].strip("-")
    town.has_account(username)
    return username


def test_somebody_who_mistypes_the_password_can_try_again_and_sign_out(
    chromium: Chromium, town: Town, user: str
) -> None:
    chromium.walk(mistype, user, on=[WIDE.at(town.telecom)])


def mistype(page: Page, username: str) -> None:
    page.goto("/dashboard")
    sign_in(page, username, "not my password")
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("Username or phone number")).to_have_value(username)
    sign_in(page, username, PASSWORD)
    expect(page).to_have_url("/dashboard")
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Welcome, {username}")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("You are signed out.")).to_be_visible()
    page.goto("/dashboard")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_the_address_is_copied_and_the_code_renewed(chromium: Chromium, town: Town, user: str) -> None:
    chromium.walk(copy_and_renew, user, on=[WIDE.at(town.telecom)])


def copy_and_renew(page: Page, username: str) -> None:
    page.goto("/login")
    sign_in(page, username, PASSWORD)
    copy = page.get_by_role("button", name="Copy address")
    copy.click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == f"sip:{username}@sip.example.org"
    link = page.get_by_role("region", name="Provisioning link")
    before = link.inner_text()
    page.get_by_role("button", name="Make a new code").click()
    expect(page.get_by_role("status")).to_contain_text("Here is your new code")
    assert link.inner_text() != before


@pytest.mark.parametrize("look", [WIDE, WITHOUT_SCRIPT], ids=lambda look: look.name)
def test_a_new_password_signs_other_browsers_out(chromium: Chromium, town: Town, user: str, look: Look) -> None:
    chromium.walk(change_the_password, user, on=[look.at(town.telecom), PHONE.at(town.telecom)])


def change_the_password(page: Page, phone: Page, username: str) -> None:
    for each in (page, phone):
        each.goto("/login")
        sign_in(each, username, PASSWORD)
        expect(each).to_have_url("/dashboard")
    page.get_by_role("link", name="Password", exact=True).click()
    page.get_by_label("Current password").fill(PASSWORD)
    page.get_by_label("New password", exact=True).fill("a better password")
    page.get_by_label("New password, once more").fill("a bitter password")
    page.get_by_role("button", name="Change the password").click()
    expect(page.get_by_label("New password, once more")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Current password").fill(PASSWORD)
    page.get_by_label("New password", exact=True).fill("a better password")
    page.get_by_label("New password, once more").fill("a better password")
    page.get_by_role("button", name="Change the password").click()
    expect(page).to_have_url("/dashboard")
    expect(page.get_by_role("status")).to_contain_text("Your password is changed")
    phone.reload()
    expect(phone.get_by_role("heading", level=1)).to_have_text(word(phone, "Sign in"))
    sign_in(phone, username, "a better password")
    expect(phone).to_have_url("/dashboard")


def test_a_key_speaks_for_its_owner(chromium: Chromium, town: Town, user: str) -> None:
    key = chromium.walk(make_a_key, user, on=[WIDE.at(town.telecom)])
    program = town.flexid.caller(town.host("sip.example.org")).with_key(key)
    assert program.get("/api/accounts/me").json["username"] == user


def make_a_key(page: Page, username: str) -> str:
    page.goto("/login")
    sign_in(page, username, PASSWORD)
    page.get_by_role("link", name="Make a key").click()
    page.get_by_role("button", name="Make a key").click()
    page.get_by_role("button", name="Copy key").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    key = str(page.evaluate("navigator.clipboard.readText()"))
    expect(page.get_by_role("region", name="API key")).to_have_text(key)
    return key


def test_a_code_signs_an_app_in(chromium: Chromium, town: Town, user: str) -> None:
    link = chromium.walk(show_a_code, user, on=[PHONE.at(town.telecom)])
    app = town.flexid.caller(town.host("sip.example.org"))
    path = urlsplit(link).path
    assert user in app.get(path, x_linphone_provisioning="1").text
    assert app.get(path, x_linphone_provisioning="1").status == 404


def show_a_code(page: Page, username: str) -> str:
    page.goto("/login")
    sign_in(page, username, PASSWORD)
    page.get_by_role("button", name=word(page, "Menu")).click()
    page.get_by_role("link", name=word(page, "Sign in a device"), exact=True).click()
    page.get_by_role("button", name=word(page, "Show a code")).click()
    expect(page.get_by_role("img", name=word(page, "Sign-in link"))).to_be_visible()
    return page.get_by_role("region", name=word(page, "Sign-in link")).inner_text()


def test_language_and_colours_stay_as_they_were_chosen(chromium: Chromium, town: Town, user: str) -> None:
    chromium.walk(choose_language_and_colours, user, on=[WIDE.at(town.telecom)])


def choose_language_and_colours(page: Page, username: str) -> None:
    page.goto("/login")
    page.get_by_role("link", name="Français").click()
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    sign_in(page, username, PASSWORD)
    expect(page.get_by_role("heading", level=1)).to_have_text(word(page, "Welcome, {name}", name=username))
    light = _brightness(page)
    page.get_by_role("button", name=word(page, "Switch between light and dark")).click()
    assert _brightness(page) < light / 2
    page.get_by_role("link", name=word(page, "Password"), exact=True).click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert _brightness(page) < light / 2
    page.get_by_role("link", name="English").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Password")


def _brightness(page: Page) -> float:
    """Return how light the page is, from 0 to 255."""
    return float(
        page.evaluate("""() => {
            const paper = document.createElement("canvas").getContext("2d");
            paper.fillStyle = getComputedStyle(document.body).backgroundColor;
            paper.fillRect(0, 0, 1, 1);
            return paper.getImageData(0, 0, 1, 1).data.slice(0, 3).reduce((sum, part) => sum + part) / 3;
        }""")
    )


def test_giving_an_account_up_takes_its_whole_address(chromium: Chromium, town: Town, user: str) -> None:
    chromium.walk(give_up, user, on=[WIDE.at(town.telecom)])
    assert town.boss.get(f"/api/accounts/{user}@sip.example.org/search").status == 404


def give_up(page: Page, username: str) -> None:
    page.goto("/login")
    sign_in(page, username, PASSWORD)
    page.get_by_role("link", name="Delete…").click()
    address = f"{username}@sip.example.org"
    page.get_by_label(f"Type “{address}” to confirm").fill(username)
    page.get_by_role("button", name="Delete for good").click()
    expect(page.get_by_role("alert")).to_contain_text(f"This is not {address}")
    page.get_by_label(f"Type “{address}” to confirm").fill(address)
    page.get_by_role("button", name="Delete for good").click()
    expect(page.get_by_text("Your account is deleted.")).to_be_visible()
    sign_in(page, username, PASSWORD)
    expect(page.get_by_role("alert")).to_be_visible()


@pytest.mark.parametrize("look", [WIDE, WITHOUT_SCRIPT], ids=lambda look: look.name)
def test_a_browser_goes_on_by_itself_when_a_phone_lets_it_in(
    chromium: Chromium, town: Town, user: str, look: Look
) -> None:
    chromium.walk(let_in, user, on=[look.at(town.telecom), PHONE.at(town.telecom)])


def let_in(desk: Page, phone: Page, username: str) -> None:
    desk.goto("/login")
    desk.get_by_role("link", name="Sign in with a QR code").click()
    link = desk.get_by_role("region", name="Sign-in link").inner_text()
    phone.goto(link)  # as the camera opens it
    sign_in(phone, username, PASSWORD)
    expect(phone.get_by_role("definition").filter(has_text=f"{username}@sip.example.org")).to_be_visible()
    phone.get_by_role("button", name=word(phone, "Let it in")).click()
    expect(phone.get_by_text(word(phone, "The other device is signed in."))).to_be_visible()
    expect(desk).to_have_url("/dashboard")
    expect(desk.get_by_role("heading", level=1)).to_have_text(f"Welcome, {username}")
