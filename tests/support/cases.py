"""Names of the cases of a test; every process that runs tests has to give them the same."""

from __future__ import annotations


def named(value: object) -> str:
    """Return how a value is written, a set in alphabetical order."""
    return repr(sorted(value) if isinstance(value, set) else value)
