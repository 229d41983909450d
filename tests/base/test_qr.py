"""QR codes, read back by a decoder."""

from __future__ import annotations

import io
from xml.etree import ElementTree as ET

import pytest
import zxingcpp
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from flexid.base import qr

URL = "https://sip.example.org/provisioning/Gs7nmCeNeeEWg?reset_password=1"
SVG = "{http://www.w3.org/2000/svg}"


def decoded(image: Image.Image) -> zxingcpp.Barcode:
    (code,) = zxingcpp.read_barcodes(image.convert("L"))
    return code


def opened(png: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(png))
    image.load()
    return image


@settings(max_examples=20, deadline=None, database=None)
@given(st.text(alphabet=st.characters(codec="ascii", min_codepoint=33), min_size=1, max_size=300))
@example(URL)
def test_a_png_says_what_was_put_in(text: str) -> None:
    assert decoded(opened(qr.png(text))).text == text


def test_a_png_has_the_strongest_error_correction() -> None:
    assert decoded(opened(qr.png(URL))).ec_level == "H"


@pytest.mark.parametrize("text", ["x", URL, "x" * 1_200])
def test_a_png_is_square_large_and_has_a_quiet_zone(text: str) -> None:
    image = opened(qr.png(text))
    dark = image.convert("L").point(lambda level: 255 - level).getbbox()
    assert image.mode == "1"
    assert image.width == image.height >= 300
    assert dark is not None
    assert min(dark[0], dark[1], image.width - dark[2], image.height - dark[3]) >= 4 * qr.MODULE_PIXELS


def test_an_svg_shows_the_same_modules() -> None:
    root = ET.fromstring(qr.svg(URL))  # noqa: S314  # our own image
    size = int(root.attrib["viewBox"].split()[2])
    image = Image.new("1", (size, size), 1)
    draw = ImageDraw.Draw(image)
    for bar in root.findall(f"{SVG}path")[1].attrib["d"].split("M")[1:]:
        place, _, rest = bar.partition("h")
        x, y = map(int, place.split())
        draw.line((x, y, x + int(rest.partition("v")[0]) - 1, y), fill=0)
    png = opened(qr.png(URL))
    assert image.resize(png.size, Image.Resampling.NEAREST).tobytes() == png.tobytes()


@pytest.mark.parametrize("draw", [qr.png, qr.svg])
@pytest.mark.parametrize("length", [1_274, 5_000])
def test_a_text_that_is_too_long_is_refused(draw: object, length: int) -> None:
    assert callable(draw)
    with pytest.raises(ValueError, match="version"):
        draw("x" * length)
