"""Logos of Spaces: pictures that somebody sends us, and that the browser of everybody opens."""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Iterator
from xml.parsers import expat

from attrs import field, frozen

from flexid.base.text import Text
from flexid.domain.errors import Invalid

FIELD = "logo"
LARGEST = 512 * 1024
"""Bytes of a logo's file."""
WIDEST = 4096
"""Pixels of a PNG in width and in height: a small file can unfold to gigabytes in the browser that opens it."""
PNG, SVG = "image/png", "image/svg+xml"

_PNG_BEGINS = b"\x89PNG\r\n\x1a\n"
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
"""Bits of a sample by the kind of colour (PNG, 11.2.1)."""
_ROOT = "http://www.w3.org/2000/svg svg"
_ACTIVE = frozenset({"script", "foreignobject", "handler", "iframe"})


@frozen
class Logo:
    """A picture; its name is made of its content, so that a browser may keep it for ever."""

    name: str
    content_type: str
    content: bytes = field(repr=False)


class _WrongPictureError(Exception):
    """What stands in a file is not what we show."""

    def __init__(self, reason: Text) -> None:
        super().__init__(str(reason))
        self.reason = reason


def read(content: bytes) -> Logo:
    """Return the logo in a file: a PNG, or an SVG that does nothing; what it is called does not matter.

    :raise Invalid: for the field `logo`: it is neither, damaged, or too large.
    """
    try:
        content_type = _judge(content)
    except _WrongPictureError as wrong:
        raise Invalid.field(FIELD, wrong.reason) from None
    ending = "png" if content_type == PNG else "svg"
    return Logo(f"{hashlib.sha256(content).hexdigest()[:32]}.{ending}", content_type, content)


def _judge(content: bytes) -> str:
    if not content:
        raise _WrongPictureError(Text("The file is empty"))
    if len(content) > LARGEST:
        raise _WrongPictureError(Text("The file may not be larger than {size} KiB", size=LARGEST // 1024))
    if content.startswith(_PNG_BEGINS):
        _check_png(content)
        return PNG
    _check_svg(content)
    return SVG


def _check_png(content: bytes) -> None:
    damaged = _WrongPictureError(Text("The PNG file is damaged. Save it once more from a drawing program."))
    try:
        kinds, header = [], b""
        for kind, data in _chunks(content):
            header = header or data
            kinds.append(kind)
        width, height, depth, colour, *methods = struct.unpack(">IIBBBBB", header)
    except (struct.error, zlib.error):
        raise damaged from None
    if kinds[0] != b"IHDR" or b"IDAT" not in kinds or kinds[-1] != b"IEND":
        raise damaged
    if depth not in _DEPTHS.get(colour, ()) or methods[:2] != [0, 0] or methods[2] > 1:
        raise damaged
    if not 0 < width <= WIDEST or not 0 < height <= WIDEST:
        raise _WrongPictureError(Text("A picture may have {pixels} pixels in width and in height", pixels=WIDEST))


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield kind and data of each piece, up to the last.

    :raise struct.error: a piece is cut off.
    :raise zlib.error: a piece does not fit its checksum.
    """
    position, kind = len(_PNG_BEGINS), b""
    while kind != b"IEND":
        length, kind = struct.unpack_from(">I4s", content, position)
        data = content[position + 8 : position + 8 + length]
        (checksum,) = struct.unpack_from(">I", content, position + 8 + length)
        if zlib.crc32(kind + data) != checksum:
            raise zlib.error
        yield kind, data
        position += length + 12


def _check_svg(content: bytes) -> None:
    parser = expat.ParserCreate(namespace_separator=" ")
    is_root = True

    def element(name: str, attributes: dict[str, str]) -> None:
        nonlocal is_root
        if is_root and name != _ROOT:
            raise _WrongPictureError(Text("This is neither a PNG nor an SVG picture"))
        is_root = False
        if _local(name) in _ACTIVE or any(_is_active(key, value) for key, value in attributes.items()):
            raise _WrongPictureError(Text("The drawing contains a program. Save it as “plain SVG”, without scripts."))

    def declaration(*_: object) -> None:
        raise _WrongPictureError(Text("The drawing has a DOCTYPE. Delete the lines from <!DOCTYPE to its >."))

    def instruction(target: str, _: str) -> None:
        if target.lower() == "xml-stylesheet":
            raise _WrongPictureError(Text("The drawing names a stylesheet of its own. Save it as “plain SVG”."))

    parser.StartElementHandler = element
    # Entities, by which small files grow large and reach into other files, can only be declared in one.
    parser.StartDoctypeDeclHandler = declaration
    parser.ProcessingInstructionHandler = instruction
    try:
        parser.Parse(content, True)  # noqa: FBT003  # expat's own way to say that this is all
    except (expat.ExpatError, ValueError, LookupError):
        if is_root:
            raise _WrongPictureError(Text("This is neither a PNG nor an SVG picture")) from None
        line = parser.CurrentLineNumber
        raise _WrongPictureError(Text("The SVG file is damaged in line {line}", line=line)) from None


def _is_active(attribute: str, value: str) -> bool:
    name = _local(attribute)
    return name.startswith("on") or (name == "href" and "".join(value.split()).lower().startswith("javascript:"))


def _local(name: str) -> str:
    return name.rpartition(" ")[2].lower()
