"""Signing in, as everybody does it."""

from __future__ import annotations

from typing import Any

from browser.words import word
from playwright.sync_api import Page, expect


def sign_in(page: Page, username: str, password: str) -> None:
    """Type name and password on the page for it."""
    page.get_by_label(word(page, "Username or phone number")).fill(username)
    page.get_by_label(word(page, "Password"), exact=True).fill(password)
    page.get_by_role("button", name=word(page, "Sign in"), exact=True).click()


def state_after_signing_in(page: Page, username: str, password: str) -> Any:
    """Return what the browser keeps of somebody who has signed in."""
    page.goto("/")
    sign_in(page, username, password)
    expect(page).to_have_url("/dashboard")
    return page.context.storage_state()
