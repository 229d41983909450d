"""From the printed password to a new account whose code a phone can scan."""

from __future__ import annotations

import io

import pytest
import zxingcpp
from browser.chromium import Chromium
from browser.looks import PHONE, WIDE, WITHOUT_SCRIPT, Look
from browser.signing_in import sign_in
from browser.town import Town
from browser.words import word
from PIL import Image
from playwright.sync_api import Page, expect


@pytest.mark.parametrize("look", [WIDE, WITHOUT_SCRIPT, PHONE], ids=lambda look: look.name)
def test_a_newcomer_gets_from_the_printed_password_to_a_code_on_the_screen(
    chromium: Chromium, town: Town, look: Look
) -> None:
    username = f"newcomer-{look.name.replace(' ', '-')}"
    code = chromium.walk(make_an_account, username, town.password, on=[look.at(town.site)])
    account = town.boss.get(f"/api/accounts/{username}@{town.root}/search").json
    assert code == f"{town.site}/provisioning/{account['provisioning_token']}"


def make_an_account(page: Page, username: str, password: str) -> str:
    """Return what the code says that is on the screen at last."""
    page.goto("/")
    sign_in(page, "admin", password)
    page.get_by_role("link", name=word(page, "New account"), exact=True).click()
    page.get_by_label(word(page, "Username")).fill(username)
    page.get_by_label(word(page, "Password"), exact=True).fill("a good password")
    page.get_by_role("button", name=word(page, "Create account")).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(username)
    code = page.get_by_role("img", name=word(page, "Provisioning link"))
    code.scroll_into_view_if_needed()
    expect(code).to_be_in_viewport(ratio=1)
    (read,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(page.screenshot())))
    return str(read.text)
