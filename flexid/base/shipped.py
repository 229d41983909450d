"""Folders that travel with the code."""

from __future__ import annotations

from pathlib import Path


def _shipped(name: str) -> Path:
    """Return a folder that stands inside the installed package, or at the top of the repository."""
    package = Path(__file__).parent.parent
    inside = package / name
    return inside if inside.is_dir() else package.parent / name


LOCALES = _shipped("locales")
STATIC = _shipped("static")
TEMPLATES = _shipped("templates")
