"""Dictionary entries: what an account carries for its applications."""

from __future__ import annotations

from attrs import frozen

from flexid.base.text import Text

LONGEST = 255
"""Characters of a key, and of a value."""


@frozen
class DictionaryEntry:
    """A key and a value, both text."""

    key: str
    value: str


def key_fault(key: str) -> Text | None:
    """Say what is wrong with a key; values are what an input model lets through."""
    if len(key) > LONGEST:
        return Text("It may not be longer than {length} characters", length=LONGEST)
    return None
