"""Ways in which somebody looks at a page."""

from __future__ import annotations

from typing import Any

from attrs import evolve, field, frozen


@frozen
class Look:
    """A screen with its owner's wishes, before a site; `state` is what a browser keeps of somebody signed in."""

    name: str
    width: int
    height: int
    language: str = "en"
    dark: bool = False
    phone: bool = False
    script: bool = True
    site: str = ""
    elsewhere: str = ""
    """Another site that pages of this one may lead to."""
    state: Any = field(default=None, repr=False)

    def at(self, site: str, state: Any = None) -> Look:
        """Return the same before a site, as whoever is signed in there."""
        return evolve(self, site=site, state=state)

    def options(self) -> dict[str, Any]:
        """Return this as Playwright wants it."""
        return {
            "base_url": self.site,
            "viewport": {"width": self.width, "height": self.height},
            "locale": {"en": "en-GB", "fr": "fr-FR"}[self.language],
            "timezone_id": "Europe/Paris",
            "color_scheme": "dark" if self.dark else "light",
            "reduced_motion": "reduce",
            "has_touch": self.phone,
            "is_mobile": self.phone,
            "java_script_enabled": self.script,
            "permissions": ["clipboard-read", "clipboard-write"],
            "storage_state": self.state,
        }


WIDE = Look("wide", 1440, 900)
WITHOUT_SCRIPT = Look("without script", 1440, 900, script=False)
PHONE = Look("phone", 390, 844, language="fr", dark=True, phone=True)
