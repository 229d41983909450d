"""What super administrators do with Spaces and countries."""

from __future__ import annotations

from browser.chromium import Chromium
from browser.doors import Doors
from browser.looks import WIDE
from playwright.sync_api import Page, expect

DOMAIN = "phones.example.net"


def test_a_space_is_opened_changed_and_closed(chromium: Chromium, doors: Doors) -> None:
    chromium.walk(go_through_a_life, on=[doors.super_admin(WIDE)])
    assert doors.town.boss.get(f"/api/spaces/{DOMAIN}").status == 404


def go_through_a_life(page: Page) -> None:
    page.goto("/dashboard")
    page.get_by_role("link", name="Spaces", exact=True).click()
    page.get_by_role("link", name="New Space").click()
    page.get_by_label("Name", exact=True).fill("Phones")
    page.get_by_label("SIP domain").fill(DOMAIN)
    page.get_by_label("Host", exact=True).fill("phones.example.net")
    page.get_by_role("button", name="Create Space").click()
    expect(page.get_by_label("Host", exact=True)).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Host", exact=True).fill("phones.localhost")
    page.get_by_role("button", name="Create Space").click()
    expect(page.get_by_role("status")).to_contain_text("The Space Phones is created")

    page.get_by_role("link", name="Make its first administrator").click()
    page.get_by_label("Username").fill("chief")
    page.get_by_label("Password").fill("a good password")
    page.get_by_label("Role").select_option("Administrator")
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"chief@{DOMAIN}")

    page.get_by_role("link", name="Spaces", exact=True).click()
    page.get_by_role("link", name="Phones", exact=True).click()
    page.get_by_role("link", name="Administration", exact=True).click()
    page.get_by_label("Account limit").fill("7")
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_role("status")).to_contain_text("Saved")
    expect(page.get_by_label("Account limit")).to_have_value("7")

    page.get_by_role("link", name="Delete…").click()
    expect(page.get_by_text("1 account is deleted with it")).to_be_visible()
    page.get_by_label(f"Type “{DOMAIN}” to confirm").fill(DOMAIN)
    page.get_by_role("button", name="Delete for good").click()
    expect(page.get_by_role("status")).to_contain_text("The Space Phones is deleted")


def test_a_country_is_let_in_and_shut_out(chromium: Chromium, doors: Doors) -> None:
    chromium.walk(choose_countries, on=[doors.super_admin(WIDE)])
    countries = doors.town.boss.get("/api/phone_countries").json
    assert not any(each["activated"] for each in countries if each["code"] == "PT")


def choose_countries(page: Page) -> None:
    page.goto("/admin/phone_countries")
    page.get_by_label("Search countries").fill("Portugal")
    expect(page.locator("tbody tr")).to_have_count(1)
    row = page.get_by_role("row").filter(has_text="Portugal")
    row.get_by_role("button", name="Allow").click()
    expect(page.get_by_role("status").first).to_contain_text("Numbers of Portugal may be used.")
    row.get_by_role("button", name="Refuse").click()
    expect(page.get_by_role("status").first).to_contain_text("Numbers of Portugal are refused from now on.")
