"""What countries are called."""

from __future__ import annotations


def country_name(code: str, language: str) -> str:
    """Return the name of a country (ISO 3166, two letters) in a language; the code, where it has none there."""
    # Babel takes its time to load what it knows of a language.
    from babel import Locale  # noqa: PLC0415

    name: str = Locale(language).territories.get(code.upper(), code)
    return name
