"""Jinja2 templates: ours, or an operator's of the same name."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from pathlib import Path
from typing import Any

from attrs import define, field
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from flexid.base.languages import Languages
from flexid.base.shipped import TEMPLATES
from flexid.base.text import Text


class _Environment(Environment):
    """Looks names up in one dictionary: Jinja's chain of them takes a fifth of the time of a page."""

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """Return what a template finds beside its values."""
        return {**self.globals, **(d or {})}


@define
class Templates:
    """Renders pages and mails; every value is escaped, but in plain text."""

    languages: Languages
    override: Path | None = None
    globals: dict[str, Any] = field(factory=dict)
    """Further functions that templates may call."""
    development: bool = False
    """Whether templates are read again when they have changed."""
    _environments: dict[str, Environment] = field(factory=dict, init=False)

    def render(self, name: str, language: str, **values: object) -> str:
        """Return the page `name` in a language.

        In a template `_("…", …)` translates, `ngettext(one, many, number)` says how many, `say(text)` shows
        a Text; `number`, `day` and `moment` write numbers and times (UTC) as the language does.
        """
        return self._environment(language).get_template(name).render(language=language, **values)

    def _environment(self, language: str) -> Environment:
        if language not in self._environments:
            folders = [folder for folder in (self.override, TEMPLATES) if folder]
            environment = _Environment(
                loader=FileSystemLoader(folders),
                autoescape=_is_markup,
                undefined=StrictUndefined,
                trim_blocks=True,
                lstrip_blocks=True,
                auto_reload=self.development,
            )
            environment.globals.update(self.globals)
            environment.globals.update(_words(self.languages, language))
            self._environments[language] = environment
        return self._environments[language]


def _is_markup(name: str | None) -> bool:
    return name is None or not name.endswith(".txt")


def _words(languages: Languages, language: str) -> dict[str, Callable[..., str]]:
    """Return what templates write with in a language."""
    # Babel's data takes its time to load: only who shows a date pays for it.
    from babel import dates, numbers  # noqa: PLC0415

    return {
        "_": lambda english, **values: languages.translate(Text(english, **values), language),
        "ngettext": lambda one, many, count: languages.count(one, many, count, language),
        "say": lambda text: languages.translate(text, language),
        "number": lambda value: numbers.format_decimal(value, locale=language),
        "day": lambda value: dates.format_date(value, "d MMM y", locale=language),
        "moment": lambda value: dates.format_datetime(value, "d MMM y, HH:mm", locale=language) + " UTC",
    }
