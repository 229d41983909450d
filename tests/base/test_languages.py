from __future__ import annotations

import string
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from flexid.base.languages import LOCALES, Languages
from flexid.base.text import Text

ROOT = Path(__file__).parent.parent.parent
# What the store and the commands say is for the operator's terminal, in English.
SPOKEN = ("flexid/base", "flexid/domain", "flexid/services", "flexid/http", "templates")
METHODS = [("**.py", "python"), ("**.html", "jinja2")]


def _sentences() -> set[str]:
    return {
        message
        for folder in SPOKEN
        for _, _, message, _, _ in extract_from_dir(ROOT / folder, METHODS, keywords={"Text": None, "_": None})
        if isinstance(message, str)
    }


def _places(sentence: str) -> set[str | None]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


@pytest.mark.parametrize("path", sorted(LOCALES.glob("*/LC_MESSAGES/flexid.po")), ids=lambda path: path.parts[-3])
def test_a_catalogue_has_every_sentence_with_its_places_and_no_other(path: Path) -> None:
    with path.open("rb") as file:
        catalogue: Catalog = read_po(file)
    translated = {str(message.id): str(message.string) for message in catalogue if message.id and message.string}
    sentences = _sentences()
    assert len(sentences) > 50
    assert translated.keys() == sentences
    for english, other in translated.items():
        assert _places(english) == _places(other), english


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
