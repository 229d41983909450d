"""Forms that only people send, where the operator has set up hCaptcha."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from flexid.http.answers import Answer
from flexid.http.call import Call
from flexid.http.pages import PROTECTION, page
from flexid.services.captcha import FIELD

POLICY = "Content-Security-Policy"
HOSTS = "https://hcaptcha.com https://*.hcaptcha.com"
"""Where the widget lives: its script, its frames, its styles, and what it asks."""
SCRIPT = "https://js.hcaptcha.com/1/api.js"


@frozen
class Widget:
    """What a page needs to show it."""

    site_key: str
    script: str


def guarded_page(call: Call[Any], template: str, **values: Any) -> Answer:
    """Return a page with the widget, or without one where nobody is asked."""
    site_key = call.services.person_check.site_key
    if site_key is None:
        return page(call, template, widget=None, **values)
    widget = Widget(site_key, f"{SCRIPT}?hl={call.language}")
    return page(call, template, headers={POLICY: _policy()}, widget=widget, **values)


async def is_person(call: Call[Any], body: Mapping[str, Any]) -> None:
    """Let only people send a form, before it is looked at.

    :raise Invalid: the widget says no.
    :raise Unavailable: nobody can tell at the moment.
    """
    response = body.get(FIELD)
    await call.services.person_check.check(response if isinstance(response, str) else "", call.origin.ip)


def _policy() -> str:
    """Return the policy of all pages, with the hosts of the widget, which stand on pages with it only."""
    widened = PROTECTION[POLICY]
    for directive in ("script-src", "style-src", "connect-src"):
        widened = widened.replace(f"{directive} 'self'", f"{directive} 'self' {HOSTS}")
    return f"{widened}; frame-src {HOSTS}"
