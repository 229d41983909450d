"""Linphone's configuration as an XML document: sections of entries, and how they are written."""

from __future__ import annotations

import re

from attrs import frozen

HEAD = '<config xmlns="http://www.linphone.org/xsds/lpconfig.xsd">\n'
TAIL = "</config>\n"

# Linphone writes each value raw into a line of its ini file, so whatever ends a line becomes a blank, and no reader
# of XML 1.0 takes the other control characters, lone surrogates and the two non-characters.
_LINE_ENDS = dict.fromkeys(map(ord, "\t\n\v\f\r\x85\u2028\u2029"), " ")
_UNWRITABLE = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF])
_MARKUP = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;"}
_IN_TEXT: dict[int, str | None] = {**_UNWRITABLE, **_LINE_ENDS, **_MARKUP}
_IN_ATTRIBUTE: dict[int, str | None] = {**_IN_TEXT, ord('"'): "&quot;"}
# Nearly all values are of this kind, and seeing that is cheaper than translating them.
_PLAIN = re.compile(r"[ !#-%'-;=?-~]*")


@frozen
class Section:
    """A named section and its entries, `(key, value)` in the order of the document."""

    name: str
    entries: tuple[tuple[str, str], ...] = ()


def escape(value: str) -> str:
    """Return the value as the text of an element: one line, well-formed whatever stands in it."""
    return value if _PLAIN.fullmatch(value) else value.replace("\r\n", "\n").translate(_IN_TEXT)


def write(section: Section, *, overwrite: bool) -> str:
    """Return the lines of a section; with `overwrite` its entries replace what the application has."""
    mark = ' overwrite="true"' if overwrite else ""
    lines = [f'  <entry name="{_attribute(key)}"{mark}>{escape(value)}</entry>\n' for key, value in section.entries]
    return "".join((f'<section name="{_attribute(section.name)}">\n', *lines, "</section>\n"))


def _attribute(name: str) -> str:
    return name if _PLAIN.fullmatch(name) else name.translate(_IN_ATTRIBUTE)
