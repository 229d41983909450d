"""SIP addresses, as they stand in paths, in JSON and in the `From` header of HTTP requests."""

from __future__ import annotations

import re
from urllib.parse import unquote

from attrs import frozen

MAX_USERNAME = 64
MAX_DOMAIN = 253
MAX_LENGTH = 2_048

_USERNAME = re.compile(rf"[A-Za-z0-9_.!~*'()&=+$,?/-]{{1,{MAX_USERNAME}}}")
_DOMAIN = re.compile(rf"(?=.{{1,{MAX_DOMAIN}}}\Z)(?:[A-Za-z0-9](?:[A-Za-z0-9-]{{0,61}}[A-Za-z0-9])?(?:\.|\Z))+(?<!\.)")
_PORT = re.compile(r":[0-9]{1,5}\Z")
# RFC 3261 section 25.1: a quoted or bare display name, the address in brackets, header parameters.
_NAME_ADDR = re.compile(r'(?:"(?:[^"\\]|\\.)*"[ \t]*|[^"<>]*)<([^<>]*)>[ \t]*(?:;.*)?')


@frozen
class SipAddress:
    """A user in a domain. The domain is in lower case; the username as it was written, since other servers may care."""

    username: str
    domain: str

    def __str__(self) -> str:
        return f"{self.username}@{self.domain}"

    @property
    def uri(self) -> str:
        """The address as a SIP URI (RFC 3261 section 19.1)."""
        return f"sip:{self}"


def parse(text: str, *, parameters: bool = False) -> SipAddress | None:
    """Return the address in `user@domain` or `sip:user@domain`, percent-encoded or not; None if there is none.

    :param parameters: let a port, `;parameters` and `?headers` follow, and leave them out.
    """
    if len(text) > MAX_LENGTH:
        return None
    username, _, domain = _without_scheme(unquote(text)).partition("@")
    if parameters:
        domain = _PORT.sub("", domain.partition(";")[0].partition("?")[0])
    if not _USERNAME.fullmatch(username) or not _DOMAIN.fullmatch(domain):
        return None
    return SipAddress(username, domain.lower())


def parse_from(header: str) -> SipAddress | None:
    """Return the address in a `From` header that holds a SIP URI, with or without brackets, name and parameters.

    Some clients percent-encode the whole header. None if there is no SIP URI in it.
    """
    if len(header) > MAX_LENGTH:
        return None
    return _sip_uri_in(header.strip()) or _sip_uri_in(unquote(header).strip())


def _sip_uri_in(text: str) -> SipAddress | None:
    bracketed = _NAME_ADDR.fullmatch(text)
    uri = bracketed[1] if bracketed else text
    return parse(uri, parameters=True) if uri[:4].lower() == "sip:" else None


def _without_scheme(text: str) -> str:
    return text[4:] if text[:4].lower() == "sip:" else text
