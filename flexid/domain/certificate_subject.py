"""The subject of a client's certificate, as proxies write it, and the SIP address in it."""

from __future__ import annotations

import re

from flexid.domain.sip_address import SipAddress, parse

MAX_LENGTH = 4096
_COMMON_NAMES = frozenset({"CN", "COMMONNAME", "2.5.4.3", "OID.2.5.4.3"})
# RFC 2253, 2 and 3: special characters are escaped, others stand for themselves.
_ATTRIBUTE = re.compile(
    r"[ ]*(?P<type>[A-Za-z][A-Za-z0-9-]*|(?:OID\.)?[0-9]+(?:\.[0-9]+)*)="
    r'(?P<value>(?:\\[0-9A-Fa-f]{2}|\\[ ,+"\\<>;=#]|[^,+"\\<>;\x00-\x1f\x7f])*)',
)
_ESCAPED = re.compile(rb"\\([0-9A-Fa-f]{2})|\\(.)", re.DOTALL)


def common_name(subject: str) -> str | None:
    """Return the one common name of a subject as nginx and HAProxy write it; None if there is not exactly one.

    By RFC 2253 (`CN=…,O=…`) the parts are told apart for certain. In the older form (`/O=…/CN=…`) nothing is escaped,
    so that a name could lie inside another part's value: only `/CN=…` alone is taken there.
    """
    if len(subject) > MAX_LENGTH:
        return None
    if subject.startswith("/"):
        alone = subject.removeprefix("/CN=")
        return alone if alone != subject and alone and "/" not in alone else None
    names = []
    position = 0
    while True:
        attribute = _ATTRIBUTE.match(subject, position)
        if attribute is None:
            return None
        if attribute["type"].upper() in _COMMON_NAMES:
            names.append(attribute["value"])
        position = attribute.end()
        if position == len(subject):
            break
        if subject[position] not in ",+":
            return None
        position += 1
    return _unescaped(names[0]) if len(names) == 1 else None


def sip_address(name: str) -> SipAddress | None:
    """Return the address in a common name that is a SIP URI without anything else; None if it is none."""
    # Nothing is decoded: one certificate has one spelling.
    return parse(name) if name.startswith("sip:") and "%" not in name else None


def _unescaped(value: str) -> str | None:
    content = _ESCAPED.sub(lambda found: bytes.fromhex(found[1].decode()) if found[1] else found[2], value.encode())
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None
