"""`.env` files, as PHP's services read them: `KEY=value`, with quotation marks, remarks and `${OTHER}`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

_LINE = re.compile(
    r"""
    \s* (?:export\s+)? (?P<key>[A-Za-z_][A-Za-z0-9_.]*) \s*=\s*
    (?: "(?P<double>(?:[^"\\]|\\.)*)" | '(?P<single>[^']*)' | (?P<bare>[^#\s"'](?:[^#]|(?<!\s)\#)*)? ) \s* (?:\#.*)?
    """,
    re.VERBOSE,
)
_ESCAPED = re.compile(r"\\(.)")
_OTHER = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_.]*)\}")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}


class NotADotenv(ValueError):  # noqa: N818  # a reason, as the domain's errors are
    """A text of which a line cannot be read."""


def parse(text: str) -> Mapping[str, str]:
    """Return what a file says, the last word for each key.

    :raise NotADotenv: naming the first line that is neither `KEY=value` nor a remark.
    """
    values: dict[str, str] = {}
    for number, line in _lines(text):
        found = _LINE.fullmatch(line)
        if found is None:
            raise NotADotenv(f"line {number} is neither KEY=value nor a remark")
        values[found["key"]] = _value(found, values)
    return values


def _lines(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            yield number, line


def _value(found: re.Match[str], values: Mapping[str, str]) -> str:
    if found["single"] is not None:
        return found["single"]
    if found["double"] is not None:
        value = _ESCAPED.sub(lambda escaped: _ESCAPES.get(escaped[1], escaped[1]), found["double"])
    else:
        value = (found["bare"] or "").strip()
    return _OTHER.sub(lambda other: values.get(other[1], other[0]), value)


def flag(value: str) -> bool | None:
    """Return what a switch says, None if it is none."""
    known = {"true": True, "1": True, "on": True, "yes": True, "(true)": True}
    known |= {"false": False, "0": False, "off": False, "no": False, "(false)": False, "": False}
    return known.get(value.strip().lower())
