"""From nobody to an account, and from a forgotten password to a new one."""

from __future__ import annotations

import pytest
from browser.chromium import Chromium
from browser.looks import PHONE, WIDE, WITHOUT_SCRIPT, Look
from browser.newcomers import ask_for_a_password, register, type_the_code
from browser.signing_in import sign_in
from browser.town import Town
from browser.words import word
from playwright.sync_api import Page, expect

NEW = "a better password"
EVERYWHERE = pytest.mark.parametrize("look", [WIDE, WITHOUT_SCRIPT, PHONE], ids=lambda look: look.name)


@EVERYWHERE
def test_a_stranger_registers_forgets_the_password_and_chooses_another_one(
    chromium: Chromium, town: Town, look: Look
) -> None:
    username = f"stranger-{look.name.replace(' ', '-')}"
    email = f"{username}@example.org"
    state = chromium.walk(register, username, on=[look.at(town.telecom)])
    state = chromium.walk(mistype_and_confirm, town.code(email), on=[look.at(town.telecom, state)])
    state = chromium.walk(ask_for_a_password, email, on=[look.at(town.telecom)])
    chromium.walk(choose_another_one, username, town.code(email), on=[look.at(town.telecom, state)])


def mistype_and_confirm(page: Page, code: str) -> None:
    type_the_code(page, "/register/code", f"{(int(code) + 1) % 10_000:04}")
    expect(page.get_by_role("alert")).to_be_visible()
    type_the_code(page, "/register/code", code)
    expect(page).to_have_url("/dashboard")
    expect(page.get_by_role("status")).to_contain_text(word(page, "Welcome! Your account is active."))


def choose_another_one(page: Page, username: str, code: str) -> None:
    type_the_code(page, "/recovery/confirm", code)
    page.get_by_label(word(page, "New password"), exact=True).fill(NEW)
    page.get_by_label(word(page, "New password, once more")).fill(NEW)
    page.get_by_role("button", name=word(page, "Change the password")).click()
    expect(page).to_have_url("/login")
    sign_in(page, username, NEW)
    expect(page).to_have_url("/dashboard")
