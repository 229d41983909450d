"""Jinja2 templates: ours, or an operator's of the same name."""

from __future__ import annotations

from pathlib import Path

from attrs import define, field
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from flexid.base.languages import TEMPLATES, Languages
from flexid.base.text import Text


@define
class Templates:
    """Renders pages; every value is escaped."""

    languages: Languages
    override: Path | None = None
    _environments: dict[str, Environment] = field(factory=dict, init=False)

    def render(self, name: str, language: str, **values: object) -> str:
        """Return the page `name` in a language. In a template, `_("…", …)` translates and `say(text)` shows a Text."""
        return self._environment(language).get_template(name).render(language=language, **values)

    def _environment(self, language: str) -> Environment:
        if language not in self._environments:
            folders = [folder for folder in (self.override, TEMPLATES) if folder]
            environment = Environment(loader=FileSystemLoader(folders), autoescape=True, undefined=StrictUndefined)
            environment.globals["_"] = lambda english, **values: self.languages.translate(
                Text(english, **values), language
            )
            environment.globals["say"] = lambda text: self.languages.translate(text, language)
            self._environments[language] = environment
        return self._environments[language]
