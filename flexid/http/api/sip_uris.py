"""SIP URIs in what callers send (RFC 3261, 19.1)."""

from __future__ import annotations

import re
from typing import Annotated

from flexid.base.text import Text
from flexid.domain.sip_address import parse
from flexid.http.inputs import Rule, Text255, refuse

_URI = re.compile(r"sips?:(?P<address>[!#-;=?-Z\[\]_a-z~]+)", re.IGNORECASE)
"""A scheme, and none of the characters that would end a URI in a SIP header."""


def _sip_uri(value: str) -> str:
    uri = _URI.fullmatch(value)
    if not uri or parse(uri["address"], parameters=True) is None:
        raise refuse(Text("It must be a SIP URI such as sip:alice@sip.example.org"))
    return value


SipUri = Annotated[Text255, Rule(_sip_uri, {"format": "uri", "examples": ["sip:alice@sip.example.org"]})]
"""Kept as it was written, with its port and parameters."""
