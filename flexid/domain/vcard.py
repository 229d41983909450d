"""vCards as text (RFC 6350): content lines are read, checked and written here, and nothing is made of their meaning."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from attrs import frozen

from flexid.base.text import Text

LINE_OCTETS = 75
"""How long a line may be before it is folded (RFC 6350, 3.2), its end not counted."""
VERSIONS = ("4.0", "3.0")
UID_LENGTH = 255

# Every part ends where a character comes that it cannot hold, and gives nothing back: however a line is made, it is
# read in one go.
_NAME = r"[A-Za-z0-9-]++"
_VALUE = r'(?:"[^"\x00-\x08\x0a-\x1f\x7f]*+"|[^";:,\x00-\x08\x0a-\x1f\x7f]*+)'
_LINE = re.compile(
    rf"(?:{_NAME}\.)?(?P<name>{_NAME})(?:;{_NAME}(?:={_VALUE}(?:,{_VALUE})*+)?)*+:(?P<value>[^\x00-\x08\x0a-\x1f\x7f]*+)"
)
_UID = re.compile(r"[^\s/]+")
_WITHIN_CHARACTER = range(0x80, 0xC0)
"""Octets of UTF-8 that are not the first of a character."""
_PLAIN = re.compile(r"[\w .@+-]*")
"""Text that needs no escaping, as most names are."""
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


class NotAVCard(ValueError):  # noqa: N818  # a reason, as the domain's errors are
    """A text that is no vCard which could be stored, and why."""

    def __init__(self, reason: Text) -> None:
        super().__init__(str(reason))
        self.reason = reason


@frozen
class VCard:
    """A vCard as it was written, but for its lines, which end in a line feed here; `uid` is its UID."""

    uid: str
    text: str


@frozen
class StoredVCard:
    """A vCard with the times when it was stored first and last."""

    card: VCard
    created_at: datetime
    updated_at: datetime


def read(text: str) -> VCard:
    """Return the one vCard in a text.

    :raise NotAVCard: it is none, of a version that we do not know, or without FN or UID.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip("\n") + "\n"
    properties = [_property(number, line) for number, line in _unfolded(text)]
    if [*properties[:1], *properties[-1:]] != [("BEGIN", "VCARD"), ("END", "VCARD")]:
        raise NotAVCard(Text("It must be a vCard, from BEGIN:VCARD to END:VCARD"))
    inner = properties[1:-1]
    if any(name in {"BEGIN", "END"} for name, _ in inner):
        raise NotAVCard(Text("It must be a single vCard"))
    versions = [value for name, value in inner if name == "VERSION"]
    if len(versions) != 1 or versions[0] not in VERSIONS or (versions[0] == "4.0" and inner[0][0] != "VERSION"):
        raise NotAVCard(Text("The vCard must say at its beginning that its version is 4.0 or 3.0"))
    if not any(value for name, value in inner if name == "FN"):
        raise NotAVCard(Text("The vCard needs a name (FN)"))
    uids = [value.strip() for name, value in inner if name == "UID"]
    if len(uids) != 1 or not uids[0]:
        raise NotAVCard(Text("The vCard needs one UID"))
    if len(uids[0]) > UID_LENGTH or not _UID.fullmatch(uids[0]):
        raise NotAVCard(Text("The UID of the vCard is too long, or has blanks or slashes"))
    return VCard(uids[0], text)


def write(properties: Iterable[tuple[str, str]]) -> str:
    """Return a vCard 4.0 of these properties; their values are written as they are, see `escape`."""
    lines = ("BEGIN:VCARD", "VERSION:4.0", *(f"{name}:{value}" for name, value in properties), "END:VCARD")
    return "".join(_folded(line) + "\r\n" for line in lines)


def escape(text: str) -> str:
    """Return the value of a property that is text (RFC 6350, 3.4 and 4.1); control characters are left out."""
    if _PLAIN.fullmatch(text):
        return text
    text = text.replace("\\", "\\\\").replace(",", "\\,").replace(";", "\\;")
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).replace("\n", "\\n")


def _unfolded(text: str) -> list[tuple[int, str]]:
    lines: list[tuple[int, list[str]]] = []
    for number, line in enumerate(text.removesuffix("\n").split("\n"), 1):
        if line[:1] in {" ", "\t"} and lines:
            lines[-1][1].append(line[1:])
        else:
            lines.append((number, [line]))
    return [(number, "".join(pieces)) for number, pieces in lines]


def _property(number: int, line: str) -> tuple[str, str]:
    read_line = _LINE.fullmatch(line)
    if read_line is None:
        raise NotAVCard(Text("Line {number} of the vCard cannot be read", number=number))
    name, value = read_line["name"].upper(), read_line["value"]
    return name, value.upper() if name in {"BEGIN", "END"} else value


def _folded(line: str) -> str:
    if len(line) <= LINE_OCTETS and line.isascii():
        return line
    octets, pieces, most = line.encode(), [], LINE_OCTETS
    while len(octets) > most:
        end = most
        while octets[end] in _WITHIN_CHARACTER:
            end -= 1
        pieces.append(octets[:end])
        octets, most = octets[end:], LINE_OCTETS - 1
    return b"\r\n ".join([*pieces, octets]).decode()
