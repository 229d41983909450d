"""Recipients and texts that could crash linphone-daemon, or make it send something else, among harmless ones."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from random import Random
from urllib.parse import unquote

SCHEMES: tuple[str, ...] = (
    "",
    "",
    "",
    "sip:",
    "sips:",
    "SIP:",
    "sip:sip:",
    "sips:sip:",
    "tel:",
    "http://",
    "sip: ",
    "mailto:",
    "<sip:",
)
USERS: tuple[str, ...] = (
    "bob",
    "alice-2",
    "+33612345678",
    "a.b_c~d",
    "x&y=z",
    "b/o?b",
    "$'()*!,",
    "",
    " ",
    "a b",
    "b:secret",
    "b;x=y",
)
USERS += ("bob%0Aquit", "b%20c", "b%2Bc", "\u00fc", "b\nquit", "b\0", "\ud83d", "a" * 64, "a" * 65, '"Bob" <b', "b\\")
HOSTS: tuple[str, ...] = (
    "localhost",
    "sip.example.org",
    "LOCALHOST",
    "127.0.0.1",
    "",
    "h h",
    "h:5070",
    "h;transport=tcp",
    "h?x=y",
    "h.",
)
HOSTS += ("-h", "h\nquit", "h\r", "h\0", "h\t", "h%0Aquit", "[::1]", "h>", "a@h", "h" * 64, "h\u2028", "h quit")
TEXTS: tuple[str, ...] = (
    "hello",
    "a b  c ",
    " leading",
    "\t",
    " ",
    "\u2028",
    "\u00e9" * 7500,
    "😀 \u202e \ufeff \u200d",
    "\\n %s %n %0A",
)
TEXTS += ("a\nb", "a\r\nb\r", "\n", "\nquit", "x\nmessage sip:evil@localhost pwned", "Status: Ok\n\nId: x\n\n", "")
TEXTS += ("a\0b", "\0", "\x1b[2J", "\x7f", "\x85", "\ud800", "a\udfffb", "x" * 15_000, "x" * 15_001, "y" * 100_000)
TEXTS += ("z" * 32_760 + "message sip:evil@localhost pwned", '"', "' ; quit", "<xml/>", "\uffff", "\U0010ffff")
OTHERS: tuple[object, ...] = (None, 5, 1.5, True, [], ["bob@localhost"], {"a": 1})
MOST_BYTES = 15_000
ADDRESS = re.compile(
    r"([A-Za-z0-9_.!~*'()&=+$,?/-]{1,64})@((?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)(?:\.[A-Za-z0-9-]+)*)"
)


def pairs(random: Random, number: int) -> Iterator[tuple[object, object]]:
    """Yield so many recipients and texts; of both a good part is harmless."""
    for count in range(number):
        to: object = _address(random)
        text: object = random.choice(TEXTS) + (f" {count}" if random.random() < 0.3 else "")
        if random.random() < 0.35:
            to = f"{random.choice(('', 'sip:', 'sips:'))}f{count}@localhost"
        if random.random() < 0.3:
            text = f"harmless {count}"
        if random.random() < 0.03:
            to, text = (random.choice(OTHERS), text) if random.random() < 0.5 else (to, random.choice(OTHERS))
        yield to, text


def _address(random: Random) -> str:
    if random.random() < 0.2:
        return "".join(chr(random.choice((random.randrange(256), random.randrange(0x3000)))) for _ in range(12))
    at = "@" if random.random() < 0.9 else ""
    return f"{random.choice(SCHEMES)}{random.choice(USERS)}{at}{random.choice(HOSTS)}"


def is_sendable(to: object, text: object) -> bool:
    """Say whether the contract lets a pair be sent, worked out apart from flexid's own code."""
    if not isinstance(to, str) or not _words(text):
        return False
    said = _words(text)
    if any(unicodedata.category(letter) in {"Cc", "Cs"} and letter not in "\t\r\n" for letter in said):
        return False
    return _found(to) is not None and len(_line(said).encode()) <= MOST_BYTES


def sent_as(to: object, text: object) -> tuple[str, str]:
    """Return the address and the text that arrive."""
    found = _found(str(to))
    assert found
    return f"{found[1]}@{found[2].lower()}", _line(_words(text))


def _found(to: str) -> re.Match[str] | None:
    return ADDRESS.fullmatch(re.sub(r"^sips?:", "", unquote(to), count=1, flags=re.IGNORECASE))


def _words(text: object) -> str:
    if isinstance(text, str):
        return text
    return str(text) if isinstance(text, int | float) and not isinstance(text, bool) else ""


def _line(text: str) -> str:
    return re.sub(r"\r\n|\r|\n", "\u2028", text)
