"""Rules for usernames, addresses and the like. Each returns what is wrong, or None."""

from __future__ import annotations

import re
from collections.abc import Sequence

from flexid.base.text import Text

USERNAME_LENGTH = 64
PASSWORD_BYTES = 255
EMAIL_LENGTH = 254

_PHONE_LIKE = re.compile(r"\+[0-9]{3,15}")
_EMAIL = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9]"
)
_DOMAIN = re.compile(r"(?=.{1,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
NEVER_IN_USERNAMES = re.compile(r'[\x00-\x20\x7f@"<>;:/?\\]')
"""Whatever the configured regex says: these would break a SIP address or a path."""


def username_fault(username: str, pattern: str, blacklist: Sequence[str], *, phone_allowed: bool) -> Text | None:
    """Say what is wrong with a username: its form, the configured regex and blacklist, or that it is a phone number."""
    if len(username) > USERNAME_LENGTH:
        return Text("The {field} may not be longer than {length} characters", field="username", length=USERNAME_LENGTH)
    if username != username.lower():
        return Text("The username must be in lower case")
    if not re.search(pattern, username) or NEVER_IN_USERNAMES.search(username):
        return Text("The username contains characters that are not allowed")
    if not phone_allowed and looks_like_phone(username):
        return Text("The username may not be a phone number")
    if any(re.fullmatch(entry, username) for entry in blacklist):
        return Text("The username is not allowed")
    return None


def looks_like_phone(text: str) -> bool:
    """Say whether a text is written as an international number (E.164)."""
    return _PHONE_LIKE.fullmatch(text) is not None


def password_fault(password: str, least: int) -> Text | None:
    """Say what is wrong with an account's password: `least` in characters, at most 255 bytes of UTF-8."""
    if len(password) < least:
        return Text("The password must have at least {length} characters", length=least)
    if len(password.encode(errors="surrogatepass")) > PASSWORD_BYTES:
        return Text("The password may not be longer than {length} bytes", length=PASSWORD_BYTES)
    return None


def email_fault(email: str) -> Text | None:
    """Say what is wrong with an email address: the form that HTML's forms accept, with a dot in its domain."""
    if len(email) > EMAIL_LENGTH or not _EMAIL.fullmatch(email):
        return Text("The email must be a valid email address")
    return None


def is_domain(text: str) -> bool:
    """Say whether a text is a domain or host name in lower case (RFC 1123, 2.1)."""
    return _DOMAIN.fullmatch(text) is not None


def is_below(host: str, root_host: str) -> bool:
    """Say whether a host is the root host or one of its subdomains."""
    return host == root_host or host.endswith("." + root_host)
