"""What others say to us, before it is noted or shown."""

from __future__ import annotations

MOST = 300
"""Characters of it that are kept."""


def bounded(words: str) -> str:
    """Return it as one line of bounded length."""
    line = " ".join("".join(each if each.isprintable() else " " for each in words).split())
    return line if len(line) <= MOST else f"{line[: MOST - 1]}…"
