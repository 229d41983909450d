"""The ini text of a Space's `custom_provisioning_entries`, in the dialect of PHP's `parse_ini_string`.

Of that dialect are left out: constants, variables and arithmetic in values (such text stays as it is), arrays
(`key[]`), and values over several lines, which Linphone cannot hold.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from attrs import frozen

from flexid.base.text import Text
from flexid.domain.errors import Invalid
from flexid.domain.lpconfig import Section

FIELD = "custom_provisioning_entries"
MAX_LENGTH = 65_536
MAX_LINES = 2_000
MAX_NAME = 255

PLATFORM_KEYS = frozenset(
    {
        "account_proxy_registrar_address",
        "assistant_disable_qr_code",
        "assistant_hide_create_account",
        "assistant_hide_third_party_account",
        "copyright_text",
        "disable_broadcast_feature",
        "disable_call_recordings_feature",
        "disable_chat_feature",
        "disable_meetings_feature",
        "hide_account_settings",
        "hide_settings",
        "intro_registration_text",
        "max_account",
        "newsletter_registration_address",
        "only_display_sip_uri_username",
    },
)
"""Keys that follow from the Space's own fields, so that no ini text may set them."""

_WORDS = dict.fromkeys(("on", "yes", "true"), "1") | dict.fromkeys(("off", "no", "false", "none", "null"), "")

_LINE_END = re.compile(r"\r\n|\n|\r")
_UNREADABLE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
_SECTION = re.compile(r"\[([^\[\]\"';\\]*)\][ \t]*(?:;.*)?")
_KEY = re.compile(r"[^\s#?{}|&~!()^\"\[\]][^?{}|&~!()^\"\[\]]*")
# A value is quoted and bare pieces side by side, as PHP has it; an apostrophe opens a quotation at the start only.
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"[ \t]*')
_SINGLE_QUOTED = re.compile(r"'([^']*)'[ \t]*")
_BARE = re.compile(r'[^";]+')
_ESCAPED = re.compile(r"\\([\"'\\])")


@frozen
class _Line:
    number: int
    text: str


class _WrongLineError(Exception):
    """A line that is no section, entry, remark or blank."""

    def __init__(self, reason: Text) -> None:
        super().__init__(str(reason))
        self.reason = reason


def parse(text: str) -> tuple[Section, ...]:
    """Return the sections of an ini text, in the order in which they first appear.

    A section that comes again adds to the first; a key that comes again in its section replaces the value.

    :raise Invalid: for the field `custom_provisioning_entries`, naming every wrong line and every key of the platform.
    """
    lines = _lines(text)
    sections: dict[str, dict[str, str]] = {}
    errors: list[Text] = []
    entries: dict[str, str] | None = None
    for line in lines:
        try:
            if line.text.startswith("["):
                # A section with a wrong name is reported once, not again at each of its entries.
                entries = {}
                entries = sections.setdefault(_section_name(line), entries)
            elif line.text and not line.text.startswith(";"):
                key, value = _entry(line)
                _within(entries, line)[key] = value
        except _WrongLineError as wrong:
            errors.append(wrong.reason)
    errors.extend(_platform_keys_refused(sections.values()))
    if errors:
        raise Invalid({FIELD: errors})
    return tuple(Section(name, tuple(found.items())) for name, found in sections.items())


def _lines(text: str) -> list[_Line]:
    lines = _LINE_END.split(text.removeprefix("\ufeff"))
    if len(text) > MAX_LENGTH or len(lines) > MAX_LINES:
        raise Invalid.field(
            FIELD,
            Text(
                "Invalid ini format, it may have {length} characters and {lines} lines at most",
                length=MAX_LENGTH,
                lines=MAX_LINES,
            ),
        )
    return [_Line(number, line.strip(" \t")) for number, line in enumerate(lines, start=1)]


def _section_name(line: _Line) -> str:
    _refuse_control_characters(line)
    match = _SECTION.fullmatch(line.text)
    name = match[1].strip(" \t") if match else ""
    if not 0 < len(name) <= MAX_NAME:
        raise _WrongLineError(
            Text("Invalid ini format, line {line}: a section is a name in brackets, [like this]", line=line.number),
        )
    return name


def _within(entries: dict[str, str] | None, line: _Line) -> dict[str, str]:
    if entries is None:
        raise _WrongLineError(
            Text("Invalid ini format, line {line}: an entry stands before the first [section]", line=line.number),
        )
    return entries


def _entry(line: _Line) -> tuple[str, str]:
    _refuse_control_characters(line)
    name, equals, value = line.text.partition("=")
    name = name.rstrip(" \t")
    if not equals or ";" in name:
        raise _WrongLineError(
            Text("Invalid ini format, line {line}: it is neither a [section] nor key=value", line=line.number),
        )
    if not _KEY.fullmatch(name) or len(name) > MAX_NAME:
        raise _WrongLineError(
            Text(
                "Invalid ini format, line {line}: a key is not empty, starts not with # and has none of {characters}",
                line=line.number,
                characters='?{}|&~!()^"[]',
            ),
        )
    value = value.strip(" \t")
    word = value.partition(";")[0].rstrip(" \t").lower()
    return name, _WORDS[word] if word in _WORDS else "".join(_pieces(value, line))


def _pieces(value: str, line: _Line) -> Iterator[str]:
    """Yield the pieces of a value, up to the remark that may follow it."""
    position = 0
    if match := _SINGLE_QUOTED.match(value):
        yield match[1]
        position = match.end()
    while position < len(value) and value[position] != ";":
        if match := _QUOTED.match(value, position):
            yield _ESCAPED.sub(r"\1", match[1])
        elif match := _BARE.match(value, position):
            is_last = match.end() == len(value) or value[match.end()] == ";"
            yield match[0].rstrip(" \t") if is_last else match[0]
        else:
            raise _WrongLineError(
                Text("Invalid ini format, line {line}: a quotation mark is not closed", line=line.number),
            )
        position = match.end()


def _refuse_control_characters(line: _Line) -> None:
    if _UNREADABLE.search(line.text):
        raise _WrongLineError(
            Text("Invalid ini format, line {line}: control characters are not allowed", line=line.number),
        )


def _platform_keys_refused(sections: Iterable[dict[str, str]]) -> Iterator[Text]:
    owned = dict.fromkeys(key for entries in sections for key in entries if key.lower() in PLATFORM_KEYS)
    if owned:
        yield Text(
            "Invalid ini format. "
            "The following settings cannot be set, they are already handled by the platform: {keys}",
            keys=", ".join(owned),
        )
