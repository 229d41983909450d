"""Jinja2 templates: ours, or an operator's of the same name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from datetime import date
from pathlib import Path
from typing import Any

from attrs import define, evolve, field
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from twisted.logger import Logger

from flexid.base.languages import Languages
from flexid.base.shipped import TEMPLATES
from flexid.base.text import Text


class _Environment(Environment):
    """Looks names up in one dictionary: Jinja's chain of them takes a fifth of the time of a page."""

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """Return what a template finds beside its values."""
        return {**self.globals, **(d or {})}


@define(eq=False)
class Templates:
    """Renders pages and mails; every value is escaped, but in plain text."""

    log = Logger()

    languages: Languages
    override: Path | None = None
    """A folder whose templates replace ours of the same name; it need not be there."""
    globals: Mapping[str, Any] = field(factory=dict)
    """Further functions that templates may call."""
    development: bool = False
    """Whether templates are read again when they have changed."""
    _environments: dict[tuple[str, bool], Environment] = field(factory=dict, init=False)
    _others: list[Templates] = field(factory=list, init=False)

    def with_words(self, words: Mapping[str, Any]) -> Templates:
        """Return templates that may call these functions too; they are forgotten together with these."""
        other = evolve(self, globals={**self.globals, **words})
        self._others.append(other)
        return other

    def render(self, name: str, language: str, **values: object) -> str:
        """Return the page `name` in a language; where an operator's template fails, that of ours.

        In a template `_("…", …)` translates, `ngettext(one, many, number)` says how many, `say(text)` shows
        a Text; `number`, `day` and `moment` write numbers and times (UTC) as the language does, `day` those of JSON
        too.
        """
        try:
            return self._render(name, language, values, own=True)
        except Exception as error:
            if self.override is None or not self.override.is_dir():
                raise
            rendered = self._render(name, language, values, own=False)
            # Of an error in a template's text its message says where; other messages may hold what is to be shown.
            where = f", {error.name} line {error.lineno}" if hasattr(error, "lineno") and hasattr(error, "name") else ""
            self.log.error(  # noqa: TRY400  # a traceback would hold what is to be shown
                "A template of {folder} cannot be used for {name}, ours was used: {error}{where}",
                folder=str(self.override),
                name=name,
                error=type(error).__name__,
                where=where,
            )
            return rendered

    def forget(self) -> None:
        """Let all templates be read anew."""
        self._environments.clear()
        for other in self._others:
            other.forget()

    def _render(self, name: str, language: str, values: Mapping[str, Any], *, own: bool) -> str:
        return self._environment(language, own=own).get_template(name).render(language=language, **values)

    def _environment(self, language: str, *, own: bool = True) -> Environment:
        found = self._environments.get((language, own))
        if found is None:
            found = self._environments[language, own] = self._make_environment(language, own=own)
        return found

    def _make_environment(self, language: str, *, own: bool) -> Environment:
        environment = _Environment(
            loader=FileSystemLoader([self.override, TEMPLATES] if own and self.override else TEMPLATES),
            autoescape=_is_markup,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=self.development,
        )
        environment.globals.update(self.globals)
        environment.globals.update(_words(self.languages, language))
        return environment


def _is_markup(name: str | None) -> bool:
    return name is None or not name.endswith(".txt")


def _date(value: Any) -> Any:
    return date.fromisoformat(value[:10]) if isinstance(value, str) else value


def _words(languages: Languages, language: str) -> dict[str, Callable[..., str]]:
    """Return what templates write with in a language."""
    # Babel's data takes its time to load: only who shows a date pays for it.
    from babel import dates, numbers  # noqa: PLC0415

    return {
        "_": lambda english, **values: languages.translate(Text(english, **values), language),
        "ngettext": lambda one, many, count: languages.count(one, many, count, language),
        "say": lambda text: languages.translate(text, language),
        "number": lambda value: numbers.format_decimal(value, locale=language),
        "day": lambda value: dates.format_date(_date(value), "d MMM y", locale=language),
        "moment": lambda value: dates.format_datetime(value, "d MMM y, HH:mm", locale=language) + " UTC",
    }
