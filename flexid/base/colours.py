"""Colours of a hue as numbers: what shows mails does not know `oklch`, from which the portal makes its own."""

from __future__ import annotations

import colorsys
import math

from attrs import frozen

# Björn Ottosson's Oklab, as CSS Color 4 has it: linear sRGB to cone responses, and these to lightness and two axes.
_TO_CONES = (
    (0.4122214708, 0.5363325363, 0.0514459929),
    (0.2119034982, 0.6806995451, 0.1073969566),
    (0.0883024619, 0.2817188376, 0.6299787005),
)
_TO_LAB = (
    (0.2104542553, 0.7936177850, -0.0040720468),
    (1.9779984951, -2.4285922050, 0.4505937099),
    (0.0259040371, 0.7827717662, -0.8086757660),
)
_FROM_LAB = (
    (1.0, 0.3963377774, 0.2158037573),
    (1.0, -0.1055613458, -0.0638541728),
    (1.0, -0.0894841775, -1.2914855480),
)
_FROM_CONES = (
    (4.0767416621, -3.3077115913, 0.2309699292),
    (-1.2684380046, 2.6097574011, -0.3413193965),
    (-0.0041960863, -0.7034186147, 1.7076147010),
)
_BENT = 0.0031308
_BENT_BACK = 0.04045

Vector = tuple[float, float, float]
Matrix = tuple[Vector, Vector, Vector]


@frozen
class Colours:
    """What a mail is painted with, as `#rrggbb`; those that end in `dark` are for who reads in the dark."""

    canvas: str
    sheet: str
    tint: str
    line: str
    ink: str
    quiet: str
    accent: str
    primary: str
    on_primary: str
    canvas_dark: str
    sheet_dark: str
    tint_dark: str
    line_dark: str
    ink_dark: str
    quiet_dark: str
    accent_dark: str
    primary_dark: str
    on_primary_dark: str


def of_hue(degrees: int) -> Colours:
    """Return the colours of a Space's hue (0 to 360, of the ordinary colour wheel), as the portal has them."""
    hue = _hue(degrees)

    def tone(lightness: float, chroma: float) -> str:
        return _hex(lightness, chroma, hue)

    return Colours(
        canvas=tone(0.96, 0.01),
        sheet=tone(0.998, 0.001),
        tint=tone(0.942, 0.028),
        line=tone(0.9, 0.01),
        ink=tone(0.24, 0.018),
        quiet=tone(0.46, 0.018),
        accent=tone(0.46, 0.12),
        primary=tone(0.35, 0.075),
        on_primary=tone(0.99, 0.005),
        canvas_dark=tone(0.2, 0.008),
        sheet_dark=tone(0.24, 0.009),
        tint_dark=tone(0.31, 0.035),
        line_dark=tone(0.33, 0.012),
        ink_dark=tone(0.94, 0.006),
        quiet_dark=tone(0.76, 0.014),
        accent_dark=tone(0.82, 0.1),
        primary_dark=tone(0.87, 0.07),
        on_primary_dark=tone(0.23, 0.05),
    )


def _hue(degrees: int) -> float:
    """Return the hue in Oklab, in radians, of a hue of the ordinary wheel."""
    red, green, blue = colorsys.hls_to_rgb(degrees % 360 / 360, 0.5, 1.0)
    cones = _times(_TO_CONES, (_linear(red), _linear(green), _linear(blue)))
    _, a, b = _times(_TO_LAB, (math.cbrt(cones[0]), math.cbrt(cones[1]), math.cbrt(cones[2])))
    return math.atan2(b, a)


def _hex(lightness: float, chroma: float, hue: float) -> str:
    cones = _times(_FROM_LAB, (lightness, chroma * math.cos(hue), chroma * math.sin(hue)))
    linear = _times(_FROM_CONES, (cones[0] ** 3, cones[1] ** 3, cones[2] ** 3))
    return "#" + "".join(f"{round(255 * min(1.0, max(0.0, _bent(each)))):02x}" for each in linear)


def _times(matrix: Matrix, vector: Vector) -> Vector:
    first, second, third = (sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix)
    return first, second, third


def _linear(value: float) -> float:
    return value / 12.92 if value <= _BENT_BACK else ((value + 0.055) / 1.055) ** 2.4


def _bent(value: float) -> float:
    return value * 12.92 if value <= _BENT else 1.055 * value ** (1 / 2.4) - 0.055
