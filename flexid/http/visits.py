"""What a browser carries from page to page, in cookies."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode

import orjson
from attrs import define, field, frozen

from flexid.base.text import Text
from flexid.domain.session import Session
from flexid.http.request import FlexidRequest
from flexid.services.sessions import Signer

SESSION, VISITOR, FLASH, THEME, LANGUAGE = "session", "visitor", "flash", "theme", "lang"
A_YEAR = 31_536_000
FLASH_SECONDS = 60
LONGEST_FLASH = 1000
_VALUE = re.compile(r"[A-Za-z0-9_.~-]{1,3000}")


@frozen
class Flash:
    """What is said once, on the next page: `kind` is info, good, warn or bad."""

    kind: str
    text: Text


@define
class Visit:
    """What a browser brought, and who that is; a visit without cookies is one too."""

    session_id: str | None = field(default=None, repr=False)
    visitor: str | None = field(default=None, repr=False)
    """Makes the forms of somebody who is not signed in his own."""
    flash_cookie: str | None = None
    theme: str | None = None
    language: str | None = None
    viewer: Session | None = None
    csrf_token: str = field(default="", repr=False)
    flash: Flash | None = None


def read(request: FlexidRequest) -> Visit:
    """Return what the cookies of a request say."""
    if not request.received_cookies:
        return Visit()
    theme = cookie(request, THEME)
    return Visit(
        session_id=cookie(request, SESSION),
        visitor=cookie(request, VISITOR),
        flash_cookie=cookie(request, FLASH),
        theme=theme if theme in {"light", "dark"} else None,
        language=cookie(request, LANGUAGE),
    )


def keep(request: FlexidRequest, name: str, value: str, *, secure: bool, seconds: int | None = None) -> None:
    """Give the browser a cookie; it forgets it after so many seconds, or when it is closed."""
    request.addCookie(
        name, value, path="/", max_age=None if seconds is None else str(seconds), secure=secure, httpOnly=True,
        sameSite="lax",
    )  # fmt: skip


def drop(request: FlexidRequest, name: str, *, secure: bool) -> None:
    """Take a cookie back."""
    keep(request, name, "", secure=secure, seconds=0)


def pack(flash: Flash, signer: Signer) -> str:
    """Return a message as a cookie: signed, so that nobody else lets us say things."""
    values = {name: str(value)[:LONGEST_FLASH] for name, value in flash.text.values.items()}
    packed = urlsafe_b64encode(orjson.dumps([flash.kind, flash.text.english, values])).rstrip(b"=").decode()
    return f"{packed}.{signer.sign('flash', packed)}"


def unpack(message: str, signer: Signer) -> Flash | None:
    """Return the message in a cookie, None if it is none of ours."""
    packed, _, signature = message.partition(".")
    if not signer.is_signed("flash", packed, signature):
        return None
    kind, english, values = orjson.loads(urlsafe_b64decode(packed + "=" * (-len(packed) % 4)))
    return Flash(kind, Text(english, **values))


def cookie(request: FlexidRequest, name: str) -> str | None:
    """Return the value of a cookie; None if there is none, or it holds what no cookie of ours does."""
    value = request.received_cookies.get(name.encode(), b"").decode(errors="replace")
    return value if _VALUE.fullmatch(value) else None
