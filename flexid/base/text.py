"""Sentences for people, kept apart from their language until somebody reads them."""

from __future__ import annotations

from attrs import frozen


@frozen(init=False)
class Text:
    """A sentence in English with named places, and what stands in them: `Text("The {field} is too long", field=…)`.

    The English sentence is the key under which the catalogues of `locales/` hold its translations.
    """

    english: str
    values: dict[str, object]

    def __init__(self, english: str, /, **values: object) -> None:
        object.__setattr__(self, "english", english)
        object.__setattr__(self, "values", values)

    def __str__(self) -> str:
        return self.english.format(**self.values) if self.values else self.english
