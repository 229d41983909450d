"""Reads the configuration: a TOML file, then the environment over it."""

from __future__ import annotations

import tomllib
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from attrs import frozen
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from flexid.base.settings import Settings

DEFAULTS = "defaults"
"""The source of a configuration for which there is no file."""
TEMPLATES = "templates"
"""The folder beside the configuration file in which an operator's own templates are looked for."""
DEFAULT_FILES = (Path("flexid.toml"), Path("/etc/flexid/flexid.toml"))


class ConfigurationError(Exception):
    """The configuration cannot be used; each problem names file or variable, key, value and what is allowed."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@frozen
class Key:
    """One setting: `section.key`, or `key` at the top level."""

    section: str | None
    name: str
    info: FieldInfo

    def __str__(self) -> str:
        return f"{self.section}.{self.name}" if self.section else self.name

    @property
    def variable(self) -> str:
        """Return the environment variable that sets it."""
        return "FLEXID_" + str(self).upper().replace(".", "_")

    @property
    def is_list(self) -> bool:
        """Say whether the variable holds several values, separated by commas."""
        return typing.get_origin(self.info.annotation) is tuple


@frozen
class Configuration:
    """What was read, from where, and what deserves a word."""

    settings: Settings
    source: str
    warnings: tuple[str, ...] = ()


def keys() -> Iterator[Key]:
    """Yield every setting that there is, in the order of the documentation."""
    for name, info in Settings.model_fields.items():
        if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel):
            for inner, inner_info in info.annotation.model_fields.items():
                yield Key(name, inner, inner_info)
        else:
            yield Key(None, name, info)


def load(environment: Mapping[str, str], path: Path | None = None) -> Configuration:
    """Read the file (`path`, else FLEXID_CONFIG, else the usual places), and the environment over it.

    :raise ConfigurationError: naming all that is wrong.
    """
    if path is None and environment.get("FLEXID_CONFIG"):
        path = Path(environment["FLEXID_CONFIG"])
    if path is None:
        path = next((candidate for candidate in DEFAULT_FILES if candidate.is_file()), None)
    values = _read(path) if path else {}
    sources = _overlay(values, environment)
    if path:
        values.setdefault("templates_dir", path.parent / TEMPLATES)
    known = {key.variable for key in keys()} | {"FLEXID_CONFIG"}
    # A warning only: a container platform puts variables of its own making under this prefix.
    unknown = (name for name in sorted(environment) if name.startswith("FLEXID_") and name not in known)
    warnings = tuple(f"{name}: no setting has this name" for name in unknown)
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        raise ConfigurationError([_describe(problem, sources, path) for problem in error.errors()]) from None
    return Configuration(settings, str(path) if path else DEFAULTS, warnings)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError([f"{path}: {error}"]) from None


def _overlay(values: dict[str, Any], environment: Mapping[str, str]) -> dict[str, str]:
    """Put the environment's values over the file's; return which keys came from which variable."""
    sources = {}
    for key in keys():
        if (text := environment.get(key.variable)) is None:
            continue
        sources[str(key)] = key.variable
        table = values.setdefault(key.section, {}) if key.section else values
        if isinstance(table, dict):
            table[key.name] = [item.strip() for item in text.split(",") if item.strip()] if key.is_list else text
    return sources


def _describe(problem: Any, sources: Mapping[str, str], path: Path | None) -> str:
    location = [part for part in problem["loc"] if isinstance(part, str)]
    key = ".".join(location)
    where = sources.get(key) or f"{path}: {key}"
    if problem["type"] == "extra_forbidden":
        return f"{where}: no such setting (see docs/configuration.md)"
    reason = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "value_error" and isinstance(problem["input"], dict):
        # What several settings come to together; each of them may be from the file or from the environment.
        return f"{path or 'environment'}: {reason}"
    return f"{where} = {problem['input']!r}: {reason}"
