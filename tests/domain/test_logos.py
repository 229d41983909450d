from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image

from flexid.domain import logos
from flexid.domain.errors import Invalid

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M0 0h9v9z"/></svg>'


def _png(width: int = 3, height: int = 2, mode: str = "RGBA") -> bytes:
    drawn = io.BytesIO()
    Image.new(mode, (width, height)).save(drawn, "PNG")
    return drawn.getvalue()


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _with_header(header: bytes) -> bytes:
    whole = _png()
    return whole[:8] + _chunk(b"IHDR", header) + whole[33:]


def _refusal(content: bytes) -> str:
    with pytest.raises(Invalid) as refused:
        logos.read(content)
    assert refused.value.errors.keys() == {"logo"}
    return str(refused.value.reason)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_a_png_of_any_kind_of_colour_is_a_logo(mode: str) -> None:
    logo = logos.read(_png(mode=mode))
    assert (logo.content_type, logo.content) == ("image/png", _png(mode=mode))


@pytest.mark.parametrize(
    "content",
    [
        SVG,
        b'\xef\xbb\xbf<?xml version="1.0" encoding="UTF-8"?>\n<!-- drawn --><?inkscape x?>' + SVG,
        SVG.decode().encode("utf-16"),
        SVG.replace(b"<svg xmlns=", b"<s:svg xmlns:s=").replace(b"</svg>", b"</s:svg>"),
        SVG.replace(b"<path", b'<style>path{fill:red}</style><a href="https://example.org"/><path'),
    ],
    ids=["plain", "declared", "utf-16", "prefixed", "styled"],
)
def test_a_drawing_is_a_logo(content: bytes) -> None:
    assert logos.read(content).content_type == "image/svg+xml"


def test_a_name_follows_from_the_content_alone() -> None:
    assert logos.read(SVG).name == logos.read(bytes(SVG)).name
    assert logos.read(SVG).name.endswith(".svg")
    assert logos.read(_png()).name.endswith(".png")
    assert len({logos.read(_png(width)).name for width in range(1, 9)}) == 8


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html><script>alert(1)</script>", "DOCTYPE"),
        (b"<!doctype html><script>alert(1)</script>", "neither"),
        (b"<html><script>alert(1)</script></html>", "neither"),
        (b"GIF89a\x01\x00\x01\x00\x80\x00\x00", "neither"),
        (b"\xff\xd8\xff\xe0", "neither"),
        (b"just words", "neither"),
        (b"<svg><path/></svg>", "neither"),
        (b'<svg xmlns="http://example.org/"/>', "neither"),
        (b"<?xml version='1.0' encoding='no-such'?>" + SVG, "neither"),
        (SVG[:-3], "damaged in line 1"),
        (SVG + b"\n\n<p/>", "damaged in line 3"),
        (SVG.replace(b"<path", b"<script>alert(1)</script><path"), "program"),
        (SVG.replace(b"<path", b"<x:SCRIPT xmlns:x='y'/><path"), "program"),
        (SVG.replace(b"<path", b'<path onclick="alert(1)"'), "program"),
        (SVG.replace(b"<svg", b'<svg onload="alert(1)"'), "program"),
        (SVG.replace(b"<path", b'<a href=" java&#10;script:alert(1)"/><path'), "program"),
        (SVG.replace(b"<path", b"<foreignObject/><path"), "program"),
        (b'<?xml-stylesheet href="https://evil.example/x.xsl"?>' + SVG, "stylesheet"),
        (b'<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + SVG.replace(b"<path", b"&x;<path"), "DOCTYPE"),
        (
            b'<!DOCTYPE svg [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>' + SVG.replace(b"<path", b"&b;<path"),
            "DOCTYPE",
        ),
        (SVG.replace(b"<path", b"&x;<path"), "damaged"),
    ],
    ids=repr,
)
def test_what_is_no_harmless_picture_is_refused(content: bytes, said: str) -> None:
    assert said in _refusal(content)


@pytest.mark.parametrize(
    "content",
    [
        _png()[:8],
        _png()[:30],
        _png()[:-1],
        _png()[:-12],
        _png()[:40] + b"?" + _png()[41:],
        _png()[:8] + _chunk(b"IEND", b""),
        _png()[:33] + _chunk(b"IEND", b""),
        _png()[:8] + struct.pack(">I", 0xFFFFFFFF) + b"IHDR",
        _with_header(struct.pack(">IIBBBBB", 3, 2, 7, 6, 0, 0, 0)),
        _with_header(struct.pack(">IIBBBBB", 3, 2, 8, 5, 0, 0, 0)),
        _with_header(struct.pack(">IIBBBBB", 3, 2, 8, 6, 1, 0, 0)),
        _with_header(struct.pack(">IIBBBBB", 3, 2, 8, 6, 0, 0, 2)),
        b"\x89PNG\r\n\x1a\n<html><script>alert(1)</script></html>",
    ],
    ids=lambda content: f"{len(content)} bytes",
)
def test_a_damaged_png_is_refused(content: bytes) -> None:
    assert "damaged" in _refusal(content)


@pytest.mark.parametrize("size", [(4097, 1), (1, 4097), (0, 1), (1, 0), (0xFFFFFFFF, 0xFFFFFFFF)])
def test_a_picture_that_would_unfold_without_end_is_refused(size: tuple[int, int]) -> None:
    assert "4096" in _refusal(_with_header(struct.pack(">IIBBBBB", *size, 8, 6, 0, 0, 0)))


def test_a_picture_may_be_as_large_as_is_said_and_no_larger() -> None:
    filling = b"<!--" + b"x" * (logos.LARGEST - len(SVG) - 7) + b"-->"
    assert logos.read(filling + SVG).content_type == "image/svg+xml"
    assert "512 KiB" in _refusal(filling + b" " + SVG)
    assert logos.read(_png(4096, 1)).content_type == "image/png"
