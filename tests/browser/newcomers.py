"""What people do who have no account yet, or have forgotten their password."""

from __future__ import annotations

from typing import Any

from browser.town import PASSWORD
from browser.words import word
from playwright.sync_api import Page


def register(page: Page, username: str) -> Any:
    """Fill the form in, up to the code; return what the browser keeps."""
    page.goto("/register/email")
    page.get_by_label(word(page, "Username")).fill(username)
    page.get_by_label(word(page, "Password"), exact=True).fill(PASSWORD)
    page.get_by_label(word(page, "Password, once more")).fill(PASSWORD)
    page.get_by_label(word(page, "Email"), exact=True).fill(f"{username}@example.org")
    page.get_by_label(word(page, "Email, once more")).fill(f"{username}@example.org")
    page.get_by_label(word(page, "I accept the terms of use")).check()
    page.get_by_role("button", name=word(page, "Create the account")).click()
    page.wait_for_url("**/register/code")
    return page.context.storage_state()


def ask_for_a_password(page: Page, email: str) -> Any:
    """Ask for a code, and return what the browser keeps."""
    page.goto("/login")
    page.get_by_role("link", name=word(page, "Forgot it?")).click()
    page.get_by_label(word(page, "Email")).fill(email)
    page.get_by_role("button", name=word(page, "Send me a code")).click()
    page.wait_for_url("**/recovery/confirm")
    return page.context.storage_state()


def type_the_code(page: Page, path: str, code: str) -> None:
    """Go on with the code that has come."""
    page.goto(path)
    page.get_by_label(word(page, "Code"), exact=True).fill(code)
    page.locator("main form button.primary").first.click()
