"""Pages for people: what every one of them shows, and the headers that protect it."""

from __future__ import annotations

from typing import Any

from flexid.base.text import Text
from flexid.http import answers, visits
from flexid.http.answers import Answer
from flexid.http.call import Call
from flexid.http.visits import Flash

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
    space = call.known_space.space if call.known_space else None
    visit = call.visit
    if visit.flash:
        visits.drop(call.request, visits.FLASH, secure=call.is_secure)
    html = call.templates.render(
        template,
        call.language,
        languages=[(code, NAMES.get(code, code)) for code in call.templates.languages.installed],
        space=space,
        hue=space.theme_hue if space else DEFAULT_HUE,
        logo_url=f"/logo/{space.logo}" if space and space.logo else None,
        copyright=space.copyright_text if space else None,
        year=call.services.clock.now().year,
        viewer=visit.viewer,
        csrf_token=visit.csrf_token,
        theme=visit.theme,
        flash=visit.flash,
        here=call.request.path.decode(errors="replace"),
        fields=call.typed,
        errors=call.errors,
        **values,
    )
    hsts = HSTS if call.is_secure else {}
    return Answer(html.encode(), answers.HTML, answer_status, {**PROTECTION, **hsts, **(headers or {})})


async def go(call: Call[Any], path: str, text: Text | None = None, kind: str = "good") -> Answer:
    """Return the answer that sends a browser to a page of ours, where `text` is said."""
    if text:
        cookie = visits.pack(Flash(kind, text), await call.services.sessions.signer())
        visits.keep(call.request, visits.FLASH, cookie, secure=call.is_secure, seconds=visits.FLASH_SECONDS)
    return answers.see_other(path)
