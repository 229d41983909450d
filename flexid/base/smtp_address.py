"""Where a mail server is, as a URL says it."""

from __future__ import annotations

import re
from typing import Literal
from urllib.parse import unquote

from attrs import field, frozen

FORMS = (
    "smtp://user:password@host:587?tls=starttls (or ?tls=none, without a user) and smtps://user:password@host:465 are"
    " allowed; @, /, : and % in a user or password are written %40, %2F, %3A and %25"
)
SUBMISSION_PORT = 587
IMPLICIT_PORT = 465

Tls = Literal["starttls", "implicit", "none", "offered"]
"""How a connection is secured: by STARTTLS, from its beginning, not at all, or by STARTTLS where it is offered."""

_SCHEMES: dict[str, Tls] = {"smtp": "starttls", "smtps": "implicit"}
_PLACE = re.compile(
    r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::([0-9]{1,5}))?/?(?:\?tls=(starttls|implicit|none))?"
)
_CREDENTIALS = re.compile(r"([^@/:]+):([^@/:]+)")


@frozen
class SmtpAddress:
    """A mail server, and who we are there; with a user the connection is never left unsecured."""

    host: str
    port: int
    tls: Tls
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        """Return what may be logged of it."""
        return f"{self.host}:{self.port}"


def read(url: str) -> SmtpAddress:
    """Return the address in a URL; the user with its password, the port and `tls` may be absent.

    :raise ValueError: it is none of these; nothing of the URL is repeated.
    """
    scheme, _, rest = url.partition("://")
    credentials, is_signed_in, place = rest.rpartition("@")
    found, signed_in = _PLACE.fullmatch(place), _CREDENTIALS.fullmatch(credentials)
    if scheme not in _SCHEMES or not found or (is_signed_in and not signed_in):
        raise ValueError(FORMS)
    tls: Tls = found[4] or _SCHEMES[scheme]  # type: ignore[assignment]  # the pattern names the same words
    port = int(found[3] or (IMPLICIT_PORT if tls == "implicit" else SUBMISSION_PORT))
    if not 0 < port < 1 << 16 or (scheme == "smtps" and tls != "implicit"):
        raise ValueError(FORMS)
    if signed_in and tls == "none":
        raise ValueError("a password is never sent in clear text: tls=none is allowed without a user only")
    username, password = (unquote(part) for part in signed_in.groups()) if signed_in else (None, None)
    return SmtpAddress(found[1] or found[2], port, tls, username, password)
