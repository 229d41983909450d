"""What stands on a key in the language of a page."""

from __future__ import annotations

from functools import cache

from playwright.sync_api import Page

from flexid.base.languages import Languages
from flexid.base.text import Text


@cache
def _languages() -> Languages:
    return Languages()


def word(page: Page, english: str, **values: object) -> str:
    """Return a sentence in the language in which the page is shown."""
    language = page.locator("html").get_attribute("lang") or ""
    return _languages().translate(Text(english, **values), language)
