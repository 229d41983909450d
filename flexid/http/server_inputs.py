"""Types of fields that name other people's servers: hosts, addresses, and what signs in there."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Annotated

from flexid.base.text import Text
from flexid.domain import names, urls
from flexid.http.inputs import AnyText, Line255, Rule, Text255, refuse

_WORDS = re.compile(r"[^\s,]+(?:,[^\s,]+)*")


def _host(value: str) -> str:
    value = value.lower()
    if not names.is_domain(value):
        raise refuse(Text("It must be a host name such as mail.example.org"))
    return value


def _host_or_ip(value: str) -> str:
    try:
        return str(ip_address(value))
    except ValueError:
        return _host(value)


def _url(value: str) -> str:
    if not urls.is_http(value):
        raise refuse(Text("It must be an address such as https://example.org/path"))
    return value


def _foreign_password(value: str) -> str:
    if len(value.encode(errors="surrogatepass")) > names.PASSWORD_BYTES:
        raise refuse(Text("The password may not be longer than {length} bytes", length=names.PASSWORD_BYTES))
    return value


def _words(value: str) -> str:
    if not _WORDS.fullmatch(value):
        raise refuse(Text("It must be a list such as FN,N,IMPP, without blanks"))
    return value


def _email(value: str) -> str:
    if fault := names.email_fault(value):
        raise refuse(fault)
    return value


Host = Annotated[Text255, Rule(_host, {"format": "hostname"})]
HostOrIp = Annotated[Text255, Rule(_host_or_ip, {"examples": ["sip.example.org", "192.0.2.1"]})]
HttpUrl = Annotated[Line255, Rule(_url, {"format": "uri", "examples": ["https://example.org/path"]})]
ForeignPassword = Annotated[AnyText, Rule(_foreign_password, {"maxLength": names.PASSWORD_BYTES})]
"""Of another system: 1 to 255 bytes, and no other rule."""
Words = Annotated[Line255, Rule(_words, {"pattern": f"^{_WORDS.pattern}$", "examples": ["FN,N,IMPP"]})]
Email = Annotated[Text255, Rule(_email, {"format": "email"})]
