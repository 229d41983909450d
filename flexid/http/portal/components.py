"""The software that is installed beside us."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import metadata
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

OURS = "flexid"
LONGEST_LICENCE = 80
"""Some packages put the whole text where the name belongs."""


@frozen(order=True)
class Component:
    """A package with its licence, as it describes itself."""

    name: str
    version: str
    licence: str
    url: str | None


@cache
def installed_components() -> tuple[Component, ...]:
    """Return what flexid needs, and what that needs, by name."""
    # Few people look at this page, and everybody waits for the start.
    from packaging.requirements import Requirement  # noqa: PLC0415

    found: dict[str, Component] = {}
    waiting = [Requirement(OURS)]
    while waiting:
        for needed in _needed_by(waiting.pop()):
            key = canonicalize_name(needed.name)
            if key not in found and (described := _describe(needed.name)):
                found[key] = described
                waiting.append(needed)
    return tuple(sorted(found.values(), key=lambda component: component.name.lower()))


def _needed_by(package: Requirement) -> list[Requirement]:
    extras = {"", *package.extras}
    needed = [type(package)(line) for line in metadata.distribution(package.name).requires or ()]
    return [
        each for each in needed if not each.marker or any(each.marker.evaluate({"extra": extra}) for extra in extras)
    ]


def _describe(name: str) -> Component | None:
    try:
        about = metadata.distribution(name).metadata.json
    except metadata.PackageNotFoundError:
        return None
    return Component(str(about["name"]), str(about["version"]), _licence(about), _url(about))


def _licence(about: Mapping[str, str | list[str]]) -> str:
    if expression := about.get("license_expression"):
        return str(expression)
    named = [line.rpartition(" :: ")[2] for line in about.get("classifier", []) if "License ::" in line]
    first_line = str(about.get("license", "")).strip().partition("\n")[0]
    return ", ".join(named) or first_line[:LONGEST_LICENCE]


def _url(about: Mapping[str, str | list[str]]) -> str | None:
    urls = [str(about.get("home_page", "")), *(line.partition(", ")[2] for line in about.get("project_url", []))]
    return next((url for url in urls if url.startswith("https://")), None)
