"""QR codes (ISO/IEC 18004) as images, with error correction H and the quiet zone of 4 modules."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from itertools import groupby

MIN_PIXELS = 300
MODULE_PIXELS = 8
_QUIET_ZONE = 4


def png(text: str) -> bytes:
    """Return a black and white PNG, at least `MIN_PIXELS` wide and high.

    :raise ValueError: the text is too long for a QR code (1,273 bytes).
    """
    modules = _modules(text)
    scale = max(MODULE_PIXELS, -(-MIN_PIXELS // len(modules)))
    size = scale * len(modules)
    # One bit a pixel, 1 is white; a row fills whole bytes and begins with its filter, 0 for none (PNG, section 9).
    width = -(-size // 8)
    lines = ("".join(("0" if dark else "1") * scale for dark in row).ljust(width * 8, "1") for row in modules)
    pixels = b"".join((b"\0" + int(line, 2).to_bytes(width, "big")) * scale for line in lines)
    header = struct.pack(">IIBBBBB", size, size, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(pixels)) + _chunk(b"IEND", b"")
    )


def svg(text: str) -> bytes:
    """Return an SVG image that scales to any size.

    :raise ValueError: the text is too long for a QR code (1,273 bytes).
    """
    modules = _modules(text)
    size = len(modules)
    squares = "".join(f"M{x} {y}h{width}v1h-{width}z" for y, row in enumerate(modules) for x, width in _bars(row))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}" shape-rendering="crispEdges">'
        f'<path fill="#fff" d="M0 0h{size}v{size}H0z"/><path d="{squares}"/></svg>'
    ).encode()


def _modules(text: str) -> list[list[bool]]:
    """Return the rows of modules, True for dark, quiet zone included."""
    import qrcode  # noqa: PLC0415  # costs 60 ms that a start need not wait for
    from qrcode.constants import ERROR_CORRECT_H  # noqa: PLC0415

    # Every mask can be read; looking for the prettiest one takes ten times as long as all the rest.
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_H, border=_QUIET_ZONE, mask_pattern=0)
    code.add_data(text)
    code.make()
    return code.get_matrix()


def _bars(row: Sequence[bool]) -> Iterator[tuple[int, int]]:
    """Yield where dark modules begin, and how many there are side by side."""
    at = 0
    for dark, group in groupby(row):
        width = len(list(group))
        if dark:
            yield at, width
        at += width


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
