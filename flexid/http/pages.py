"""Pages for people: what every one of them shows, and the headers that protect it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from flexid.base.clock import random_token
from flexid.base.text import Text
from flexid.http import answers, visits
from flexid.http.answers import Answer
from flexid.http.call import Call
from flexid.http.visits import Flash

PLACE_OF_TOKEN = random_token(32)
"""Stands where each visitor's own secret belongs, in pages that are kept; nobody can write it into a text."""
DEFAULT_HUE = 22
PROTECTION = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; media-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
    "Vary": "Accept, Accept-Language, Cookie",
}
HSTS = {"Strict-Transport-Security": "max-age=31536000"}
NAMES = {"en": "English", "fr": "Français"}
"""What languages call themselves; one without an entry is shown by its code."""


def page(
    call: Call[Any], template: str, answer_status: int = 200, headers: dict[str, str] | None = None, **values: object
) -> Answer:
    """Return a page; a form that is shown again has what was typed, and what is wrong with it, at hand."""
    if call.visit.flash:
        visits.drop(call.request, visits.FLASH, secure=call.is_secure)
    query = [(name, value) for name, value in call.queries() if name != visits.LANGUAGE]
    html = _render(call, template, call.visit.csrf_token, values, query)
    return _protected(call, html, answer_status, headers)


def page_for_strangers(call: Call[Any], template: str, **values: Any) -> Answer:
    """Return a page that depends on its Space and on `values` only, where nobody is signed in and nothing is said."""
    visit = call.visit
    if visit.viewer or visit.flash or call.typed or call.errors or call.settings.development:
        return page(call, template, **values)
    key = (template, call.language, visit.theme, call.services.clock.now().year, *values.values())
    kept = call.known.pages
    if key not in kept:
        kept[key] = _render(call, template, PLACE_OF_TOKEN, values)
    return _protected(call, kept[key].replace(PLACE_OF_TOKEN, visit.csrf_token))


def _render(
    call: Call[Any],
    template: str,
    csrf_token: str,
    values: dict[str, object],
    query: Sequence[tuple[str, str]] = (),
) -> str:
    space = call.known_space.space if call.known_space else None
    visit = call.visit
    return call.templates.render(
        template,
        call.language,
        languages=[(code, NAMES.get(code, code)) for code in call.templates.languages.installed],
        space=space,
        hue=space.theme_hue if space else DEFAULT_HUE,
        logo_url=f"/logo/{space.logo}" if space and space.logo else None,
        copyright=space.copyright_text if space else None,
        year=call.services.clock.now().year,
        viewer=visit.viewer,
        devices_are_known=call.services.devices.are_known,
        csrf_token=csrf_token,
        theme=visit.theme,
        flash=visit.flash,
        here=call.request.path.decode(errors="replace"),
        query=f"{urlencode(query)}&" if query else "",
        fields=call.typed,
        errors=call.errors,
        **values,
    )


def _protected(call: Call[Any], html: str, answer_status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    hsts = HSTS if call.is_secure else {}
    return Answer(html.encode(), answers.HTML, answer_status, {**PROTECTION, **hsts, **(headers or {})})


async def go(call: Call[Any], path: str, text: Text | None = None, kind: str = "good") -> Answer:
    """Return the answer that sends a browser to a page of ours, where `text` is said."""
    if text:
        await tell(call, text, kind)
    return answers.see_other(path)


async def tell(call: Call[Any], text: Text, kind: str = "good") -> None:
    """Let the next page say something."""
    cookie = visits.pack(Flash(kind, text), await call.services.sessions.signer())
    visits.keep(call.request, visits.FLASH, cookie, secure=call.is_secure, seconds=visits.FLASH_SECONDS)
