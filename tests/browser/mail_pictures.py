"""Pictures of every mail, for `make screenshots`: as programs show them that read mail on a computer and on a phone."""

from __future__ import annotations

from itertools import product
from pathlib import Path

from playwright.sync_api import Browser
from support import letters

WIDTHS = {"wide": 700, "phone": 390}
LANGUAGES = ("en", "fr")
SCHEMES = ("light", "dark")


def take_all(browser: Browser, folder: Path) -> None:
    """Take them all; every second one is of a Space with a logo, and of another hue."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(letters.every()):
        space = letters.space(theme_hue=(22, 210, 150, 330)[number % 4])
        picture = letters.logo() if number % 2 else None
        for language, (look, width), scheme in product(LANGUAGES, WIDTHS.items(), SCHEMES):
            html = letters.shown(letters.written(name, language, space, picture))
            options = {
                "viewport": {"width": width, "height": 500},
                "color_scheme": scheme,
                "java_script_enabled": False,
            }
            with browser.new_context(**options, device_scale_factor=1.5) as context:  # type: ignore[arg-type]  # as named
                page = context.new_page()
                page.set_content(html)
                page.screenshot(path=folder / f"mail-{name}-{look}-{language}-{scheme}.png", full_page=True)
