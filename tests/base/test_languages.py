from __future__ import annotations

import string
from collections.abc import Iterable
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from flexid.base.languages import Languages
from flexid.base.shipped import LOCALES
from flexid.base.text import Text

ROOT = Path(__file__).parent.parent.parent
# What the store and the commands say is for the operator's terminal, in English.
SPOKEN = ("flexid/base", "flexid/domain", "flexid/outbound", "flexid/services", "flexid/http", "templates")
METHODS = [("**.py", "python"), ("**.html", "jinja2"), ("**.txt", "jinja2")]


KEYWORDS = {"Text": None, "_": None, "ngettext": (1, 2)}


def _sentences() -> set[str | tuple[str, ...]]:
    return {
        message
        for folder in SPOKEN
        for _, _, message, _, _ in extract_from_dir(ROOT / folder, METHODS, keywords=KEYWORDS)
        if message
    }


def _each(sentence: str | Iterable[str] | None) -> tuple[str, ...]:
    return (sentence,) if isinstance(sentence, str) else tuple(sentence or ())


def _places(sentence: str) -> set[str | None]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


@pytest.mark.parametrize("path", sorted(LOCALES.glob("*/LC_MESSAGES/flexid.po")), ids=lambda path: path.parts[-3])
def test_a_catalogue_has_every_sentence_with_its_places_and_no_other(path: Path) -> None:
    with path.open("rb") as file:
        catalogue: Catalog = read_po(file)
    translated = {
        message.id: message.string
        for message in catalogue
        if message.id and all(_each(message.string)) and not message.fuzzy
    }
    sentences = _sentences()
    assert len(sentences) > 50
    assert translated.keys() == sentences
    for english, other in translated.items():
        places = set.union(*(_places(sentence) for sentence in _each(english)))
        assert set.union(*(_places(sentence) for sentence in _each(other))) == places, english


@pytest.mark.parametrize(
    ("wish", "language"),
    [
        (None, "en"),
        ("fr", "fr"),
        ("fr-CH, en;q=0.5", "fr"),
        ("en;q=0.5, fr;q=0.9", "fr"),
        ("de, fr;q=0.1", "fr"),
        ("fr;q=0, en", "en"),
        ("xx", "en"),
        (";;q=x,,", "en"),
        ("fr;q=high", "en"),
        ("../fr", "en"),
    ],
)
def test_the_language_is_the_one_that_the_client_likes_best(wish: str | None, language: str) -> None:
    assert Languages().choose(wish) == language


def test_a_sentence_within_a_sentence_is_translated_too() -> None:
    text = Text("{first} (and 1 more error)", first=Text("Not found"))
    assert Languages().translate(text, "fr") == "Introuvable (et 1 autre erreur)"
    assert str(text) == "Not found (and 1 more error)"


def test_a_sentence_that_a_catalogue_lacks_stays_english(tmp_path: Path) -> None:
    folder = tmp_path / "eo" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "flexid.po").write_text('msgid "Not found"\nmsgstr "Ne trovita"\n')
    languages = Languages(tmp_path)
    assert languages.choose("eo") == "eo"
    assert languages.translate(Text("Not found"), "eo") == "Ne trovita"
    assert languages.translate(Text("Account blocked"), "eo") == "Account blocked"


def test_a_number_of_things_follows_the_plural_rule_and_the_digits_of_its_language(tmp_path: Path) -> None:
    folder = tmp_path / "fr" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "flexid.po").write_text(
        'msgid ""\nmsgstr "Plural-Forms: nplurals=2; plural=(n > 1);\\nContent-Type: text/plain; charset=utf-8\\n"\n\n'
        'msgid "{count} call"\nmsgid_plural "{count} calls"\nmsgstr[0] "{count} appel"\nmsgstr[1] "{count} appels"\n'
    )
    languages = Languages(tmp_path)

    def say(count: int, language: str) -> str:
        return languages.count("{count} call", "{count} calls", count, language)

    assert [say(count, "en") for count in (0, 1, 12408)] == ["0 calls", "1 call", "12,408 calls"]
    assert [say(count, "fr") for count in (0, 1, 12408)] == ["0 appel", "1 appel", "12\u202f408 appels"]
