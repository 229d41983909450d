"""Catalogues of `locales/`, and the choice among them."""

from __future__ import annotations

import io
from gettext import GNUTranslations, NullTranslations
from pathlib import Path

from attrs import define, field

from flexid.base.shipped import LOCALES
from flexid.base.text import Text

DEFAULT = "en"


@define
class Languages:
    """The languages that we can speak: English, and a folder `<language>/LC_MESSAGES/flexid.po` for each other one."""

    folder: Path = LOCALES
    _catalogues: dict[str, NullTranslations] = field(factory=lambda: {DEFAULT: NullTranslations()}, init=False)

    installed: tuple[str, ...] = field(init=False)
    """The languages as two-letter codes, English first."""

    @installed.default
    def _look(self) -> tuple[str, ...]:
        return (DEFAULT, *sorted(path.parent.parent.name for path in self.folder.glob("*/LC_MESSAGES/flexid.po")))

    def choose(self, accept_language: str | None) -> str:
        """Return the installed language that a client likes best (RFC 9110, 12.5.4); English where there is none."""
        if not accept_language:
            return DEFAULT
        wishes = []
        for position, item in enumerate(accept_language[:500].split(",")):
            tag, _, parameter = item.partition(";")
            try:
                quality = float(parameter.strip().removeprefix("q=")) if parameter.strip() else 1.0
            except ValueError:
                continue
            if quality > 0:
                wishes.append((-quality, position, tag.strip().partition("-")[0].lower()))
        return next((language for _, _, language in sorted(wishes) if language in self.installed), DEFAULT)

    def translate(self, text: Text, language: str) -> str:
        """Return the sentence in a language, or in English where its catalogue lacks it."""
        sentence = self._catalogue(language).gettext(text.english)
        if not text.values:
            return sentence
        values = {
            name: self.translate(value, language) if isinstance(value, Text) else value
            for name, value in text.values.items()
        }
        return sentence.format(**values)

    def count(self, one: str, many: str, count: int, language: str) -> str:
        """Return the sentence for a number of things, which stands at its `{count}` written as the language does."""
        from babel.numbers import format_decimal  # noqa: PLC0415  # see _read

        sentence = self._catalogue(language).ngettext(one, many, count)
        return sentence.format(count=format_decimal(count, locale=language))

    def _catalogue(self, language: str) -> NullTranslations:
        if language not in self._catalogues:
            self._catalogues[language] = _read(self.folder / language / "LC_MESSAGES" / "flexid.po")
        return self._catalogues[language]


def _read(path: Path) -> NullTranslations:
    # Babel takes its time to import, and most processes never speak anything but English.
    from babel.messages.mofile import write_mo  # noqa: PLC0415
    from babel.messages.pofile import read_po  # noqa: PLC0415

    compiled = io.BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file, locale=path.parent.parent.name))
    compiled.seek(0)
    return GNUTranslations(compiled)
