"""Usernames for accounts that nobody chose a name for: made of an email address."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from flexid.base.clock import random_code
from flexid.domain.names import USERNAME_LENGTH

LAST_NUMBER = 99
DRAWN = 10
"""How many names with a number drawn by lot follow, where all smaller numbers are taken."""
DRAWN_DIGITS = 6
_WORDS = re.compile(r"[^a-z0-9_.+-]+")
_PLAIN = re.compile(r"[^a-z0-9]+")


def candidates(email: str, is_allowed: Callable[[str], bool]) -> Iterator[str]:
    """Yield names for the owner of an email address, the nicest first: `alice`, `alice2` and so on.

    :param is_allowed: says whether a name keeps to the rules, whoever has it.
    """
    base = _base(email, is_allowed)
    numbers = ["", *map(str, range(2, LAST_NUMBER + 1)), *(random_code(DRAWN_DIGITS) for _ in range(DRAWN))]
    yield from filter(is_allowed, (f"{base[: USERNAME_LENGTH - len(number)]}{number}" for number in numbers))


def _base(email: str, is_allowed: Callable[[str], bool]) -> str:
    local = email.rpartition("@")[0].lower()
    tidy = _WORDS.sub("-", local).strip("-.")
    tried = (local, tidy, _PLAIN.sub("", local), "user")
    # One that is allowed with a number only, since the plain one is on the blacklist, will do.
    return next((base for base in tried if base and (is_allowed(base) or is_allowed(f"{base}2"))), "user")
