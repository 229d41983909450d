"""What somebody types to find accounts."""

from __future__ import annotations

import re
import unicodedata

from attrs import frozen

LONGEST = 100
"""Characters that are looked at."""
MOST_WORDS = 6
FEWEST_DIGITS = 3
"""Of a phone number that is written with spaces; fewer digits are words like others."""
NATIONAL = 6
"""From so many digits on, zeros at the beginning are taken for a national or international prefix."""

_SCHEME = re.compile(r"<?sips?:", re.IGNORECASE)
_PHONE = re.compile(r"\+?[0-9 ().\-/]+")


@frozen
class SearchText:
    """Words that all have to be found, or instead of them the digits of a phone number."""

    typed: str = ""
    """What was typed, in its first `LONGEST` characters and without control characters."""
    words: tuple[str, ...] = ()
    digits: str | None = None
    """Of the whole text, where it may be a phone number that is not stored the way it was typed."""
    phone: str | None = None
    """The number with its +, where the whole text is one with + or 00."""

    @classmethod
    def read(cls, text: str) -> SearchText:
        """Return what is to be searched for; control characters separate words as spaces do."""
        # Cut before anything else looks at it, and again since composing may lengthen.
        composed = unicodedata.normalize("NFC", text[:LONGEST])[:LONGEST]
        cleaned = "".join(" " if unicodedata.category(character)[0] == "C" else character for character in composed)
        parts = cleaned.split()
        digits = _digits(" ".join(parts))
        # Groups of digits are one number, and nothing else that is stored has spaces between digits.
        words = [] if digits and len(parts) > 1 else [_without_scheme(part) for part in parts[:MOST_WORDS]]
        return cls(cleaned, tuple(word for word in words if word), digits, _phone(" ".join(parts)))

    def __bool__(self) -> bool:
        return bool(self.words or self.digits)

    def __str__(self) -> str:
        return self.typed


def address_parts(word: str) -> tuple[str, str] | None:
    """Return username and (the beginning of) the domain of a word that may be a SIP address, both in lower case."""
    username, at, domain = word.lower().partition("@")
    return (username, domain) if at and username else None


def _without_scheme(word: str) -> str:
    scheme = _SCHEME.match(word)
    if not scheme:
        return word
    return word[scheme.end() :].partition(";")[0].removesuffix(">")


def _phone(text: str) -> str | None:
    if not _PHONE.fullmatch(text) or not text.startswith(("+", "00")):
        return None
    return "+" + "".join(character for character in text if character.isdigit()).removeprefix("00")


def _digits(text: str) -> str | None:
    if not _PHONE.fullmatch(text):
        return None
    digits = "".join(character for character in text if character.isdigit())
    if len(digits) >= NATIONAL:
        digits = digits.lstrip("0")
    return digits if len(digits) >= FEWEST_DIGITS and digits != text.removeprefix("+") else None
