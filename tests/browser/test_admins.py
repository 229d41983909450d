"""What administrators do with the accounts of their Space, and with the Space itself."""

from __future__ import annotations

import io
import re

import pytest
from browser.chromium import Chromium
from browser.doors import Doors
from browser.looks import WIDE, WITHOUT_SCRIPT, Look
from browser.signing_in import sign_in
from browser.town import PASSWORD, Town
from PIL import Image
from playwright.sync_api import FilePayload, Page, expect


def test_the_list_follows_what_is_typed(chromium: Chromium, doors: Doors) -> None:
    chromium.walk(search, on=[doors.admin(WIDE)])


def search(page: Page) -> None:
    page.goto("/admin/accounts")
    field = page.get_by_label("Search accounts")
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(20)
    field.press_sequentially("rousseau", delay=20)
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("ariane-lefebvre-rousseau")
    expect(page.locator("[data-live-status]")).to_have_text("1 account found")
    expect(field).to_be_focused()
    expect(page).to_have_url(re.compile("q=rousseau"))
    field.press_sequentially("x")
    expect(page.get_by_text("No account matches “rousseaux”")).to_be_visible()
    expect(field).to_be_focused()
    page.reload()
    expect(field).to_have_value("rousseaux")
    page.get_by_role("link", name="Clear search and filters").first.click()
    expect(rows).to_have_count(20)


@pytest.mark.parametrize("look", [WIDE, WITHOUT_SCRIPT], ids=lambda look: look.name)
def test_the_list_is_filtered_sorted_and_paged_through(chromium: Chromium, doors: Doors, look: Look) -> None:
    chromium.walk(leaf_through, on=[doors.admin(look)])


def leaf_through(page: Page) -> None:
    page.goto("/dashboard")
    page.get_by_role("navigation", name="Administration").get_by_role("link", name="Accounts").click()
    names = page.locator("tbody th .sip")
    expect(names.first).to_have_text("alice.martin")
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Next").click()
    expect(page).to_have_url(re.compile("page=2"))
    expect(names.first).not_to_have_text("alice.martin")
    page.get_by_role("columnheader", name="Account").get_by_role("link").click()
    expect(page.get_by_role("columnheader", name="Account")).to_have_attribute("aria-sort", "descending")
    descending = names.all_inner_texts()
    assert descending == sorted(descending, reverse=True)
    page.get_by_label("Status").select_option("Blocked")
    press = page.get_by_role("button", name="Search")
    if press.is_visible():
        press.click()
    expect(names).to_have_text(["fax2"])
    names.first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("fax2")


@pytest.mark.parametrize("look", [WIDE, WITHOUT_SCRIPT], ids=lambda look: look.name)
def test_an_account_is_made_changed_and_deleted(chromium: Chromium, doors: Doors, look: Look) -> None:
    username = f"short-lived-{look.name.replace(' ', '-')}"
    chromium.walk(go_through_a_life, username, look.script, on=[doors.admin(look)])
    assert doors.town.boss.get(f"/api/accounts/{username}@sip.example.org/search").status == 404


def go_through_a_life(page: Page, username: str, script: bool) -> None:  # noqa: FBT001  # walks take them in a row
    _make(page, username, script=script)
    _change(page)
    _keep_a_dictionary(page)
    _shut_out_and_let_in(page)
    _delete(page, username, script=script)


def _make(page: Page, username: str, *, script: bool) -> None:
    page.goto("/admin/accounts")
    page.get_by_role("link", name="New account").click()
    page.get_by_label("Username").fill("alice.martin")
    page.get_by_label("Password").fill("a good password")
    page.get_by_label("Phone").fill("12")
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_label("Username")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Phone")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Phone")).to_have_value("12")
    page.get_by_role("alert").get_by_role("link", name="Username").click()
    if script:
        expect(page.get_by_label("Username")).to_be_focused()
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill("a good password")
    page.get_by_label("Phone").fill("+33 5 36 49 07 77")
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("status")).to_contain_text(f"Account {username} created")


def _change(page: Page) -> None:
    page.get_by_role("link", name="Edit", exact=True).click()
    page.get_by_label("Display name").fill("Somebody New")
    page.get_by_role("button", name="Save changes").click()
    expect(page.locator(".page-head")).to_contain_text("Somebody New")
    expect(page.get_by_text("+33 5 36 49 07 77")).to_be_visible()


def _keep_a_dictionary(page: Page) -> None:
    card = page.get_by_role("region", name="Dictionary", exact=True)
    card.get_by_label("Key").fill("desk")
    card.get_by_label("Value").fill("3rd floor")
    card.get_by_role("button", name="Add").click()
    page.get_by_role("link", name="Edit desk").click()
    page.get_by_label("Value").fill("4th floor")
    page.get_by_role("button", name="Save changes").click()
    expect(card.get_by_role("row", name="desk")).to_contain_text("4th floor")
    page.get_by_role("link", name="Delete desk").click()
    page.get_by_role("button", name="Delete the entry").click()
    expect(card).to_contain_text("No entries yet")


def _shut_out_and_let_in(page: Page) -> None:
    page.get_by_role("button", name="Deactivate").click()
    expect(page.locator(".page-head")).to_contain_text("Inactive")
    page.get_by_role("button", name="Activate").click()
    page.get_by_role("button", name="Block").click()
    expect(page.locator(".page-head")).to_contain_text("Blocked")
    page.get_by_role("button", name="Unblock").click()
    expect(page.locator(".page-head .lamp")).to_have_text("Active")


def _delete(page: Page, username: str, *, script: bool) -> None:
    address = page.url
    page.get_by_role("link", name="Delete…").click()
    dialog = page.get_by_role("dialog", name=f"Delete {username} for good?")
    asked = dialog if script else page
    if script:
        expect(dialog).to_be_visible()
        assert page.url == address
        dialog.get_by_role("link", name="Keep it").click()
        expect(dialog).to_be_hidden()
        page.get_by_role("link", name="Delete…").click()
    asked.get_by_label(f"Type “{username}@sip.example.org” to confirm").fill(f"{username}@sip.example.org")
    asked.get_by_role("button", name="Delete for good").click()
    expect(page).to_have_url("/admin/accounts")
    expect(page.get_by_role("status").first).to_contain_text(f"Account {username} deleted")


def test_a_key_is_made_and_taken_away(chromium: Chromium, doors: Doors) -> None:
    key = chromium.walk(make_a_key, on=[doors.admin(WIDE)])
    program = doors.town.flexid.caller(doors.town.host("sip.example.org")).with_key(key)
    assert program.get("/api/accounts").status == 200
    chromium.walk(take_the_key_away, on=[doors.admin(WIDE)])
    assert program.get("/api/accounts").status == 401


def make_a_key(page: Page) -> str:
    page.goto("/admin/api_keys")
    page.get_by_label("Name").fill("billing")
    page.get_by_label("IP address").fill("not an address")
    page.get_by_role("button", name="Make the key").click()
    expect(page.get_by_label("IP address")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Name")).to_have_value("billing")
    page.get_by_label("IP address").fill("127.0.0.1")
    page.get_by_role("button", name="Make the key").click()
    return page.get_by_role("region", name="API key", exact=True).inner_text()


def take_the_key_away(page: Page) -> None:
    page.goto("/admin/api_keys")
    row = page.get_by_role("row").filter(has_text="billing")
    expect(row).to_contain_text("127.0.0.1")
    row.get_by_role("link", name="Delete…").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("billing")
    page.get_by_role("button", name=re.compile("Delete")).click()
    expect(page.get_by_role("status")).to_contain_text("The key billing is deleted")


def test_a_space_gets_its_look_and_its_entries(chromium: Chromium, town: Town) -> None:
    town.has_account("boss", "grenoble.example.org", admin=True)
    site = f"http://{town.host('grenoble.example.org')}:{town.flexid.port}"
    chromium.walk(furnish, _logo(), on=[WIDE.at(site)])
    space = town.boss.get("/api/spaces/grenoble.example.org").json
    assert (space["theme_hue"], space["custom_provisioning_entries"]) == (301, "[net]\nmtu=1300")


def furnish(page: Page, logo: bytes) -> None:
    page.goto("/login")
    sign_in(page, "boss", PASSWORD)
    page.get_by_role("link", name="Space", exact=True).click()
    page.get_by_role("link", name="Configuration").click()
    number, slider = page.get_by_label("Hue", exact=True), page.get_by_label("Hue, on the colour wheel")
    number.fill("300")
    expect(slider).to_have_value("300")
    slider.press("ArrowRight")
    expect(number).to_have_value("301")
    assert page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--hue')").strip() == "301"

    entries = page.get_by_label(re.compile("Entries for every app"))
    entries.fill("[net]\nmtu=1300\nnonsense")
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_role("alert")).to_contain_text("3")
    expect(page.locator(".editor li.bad")).to_have_count(1)
    expect(page.locator(".editor li:nth-child(3)")).to_have_class("bad")
    expect(number).to_have_value("301")

    entries.fill("[net]\nmtu=1300")
    page.get_by_label("Logo").set_input_files(FilePayload(name="logo.png", mimeType="image/png", buffer=logo))
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_role("status")).to_contain_text("Saved")
    in_rail = page.locator(".rail img.logo")
    expect(in_rail).to_be_visible()
    in_rail.evaluate("(picture) => picture.decode()")  # it may still be on its way
    assert in_rail.evaluate("(picture) => picture.naturalWidth") == 64


def _logo() -> bytes:
    picture = io.BytesIO()
    Image.new("RGB", (64, 32), "seagreen").save(picture, "PNG")
    return picture.getvalue()
