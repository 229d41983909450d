"""Every mail, in every language: two parts that say the same, in the Space's name and colours."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from attrs import evolve
from support import letters

from flexid.base.languages import Languages
from flexid.services.letters import LARGEST_LOGO

LANGUAGES = Languages().installed
TAGS = re.compile(r"<style>.*?</style>|<title>.*?</title>|<[^>]+>", re.DOTALL)
XSS = "<script>alert(1)</script>"


def _words(text: str) -> str:
    return " ".join(html.unescape(text).split())


def test_there_is_an_example_of_every_mail() -> None:
    assert letters.every() == sorted(letters.VALUES)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", letters.every())
def test_the_plain_text_says_what_the_html_says(name: str, language: str) -> None:
    mail = letters.written(name, language, letters.space())
    shown = _words(TAGS.sub(" ", mail.html))
    body, _, signature = mail.text.partition("\n-- \n")
    assert _words(signature) in shown
    for paragraph in body.split("\n\n"):
        for line in paragraph.splitlines():
            # Keys carry their own words in HTML.
            if not line.endswith(":"):
                assert _words(line) in shown, line
    for link in mail.links:
        assert html.escape(link) in mail.html
    assert mail.subject
    assert mail.message["Content-Language"] == language


@pytest.mark.parametrize("name", letters.every())
def test_what_people_type_is_shown_as_text(name: str) -> None:
    typed: dict[str, Any] = {
        key: XSS for key, value in letters.VALUES[name].items() if isinstance(value, str) and key != "expire_at"
    }
    space = letters.space(name=XSS, email_server={"signature": XSS, "from_name": XSS})
    mail = letters.written(name, "en", space, **typed)
    assert "<script" not in mail.html
    assert "alert(1)" in mail.html


def test_mails_wear_the_colour_of_their_space_and_its_logo() -> None:
    orange, blue = (letters.written("test", "en", letters.space(theme_hue=hue)).html for hue in (22, 210))
    assert "#5a2b19" in orange
    assert "#1e3b61" in blue
    assert "cid:logo" not in blue
    mail = letters.written("test", "en", letters.space(), letters.logo())
    assert 'src="cid:logo"' in mail.html
    assert mail.picture() == letters.logo().content


def test_pictures_that_are_heavy_or_that_hardly_any_program_shows_stay_at_home() -> None:
    heavy = evolve(letters.logo(), content=bytes(LARGEST_LOGO + 1))
    drawn = evolve(letters.logo(), content_type="image/svg+xml")
    for picture in (heavy, drawn):
        assert "cid:logo" not in letters.written("test", "en", letters.space(), picture).html


@pytest.mark.parametrize("name", letters.every())
def test_a_mail_fetches_nothing_and_fits_into_seven_bits(name: str) -> None:
    mail = letters.written(name, "fr", letters.space(name="Télécom Été"))
    assert all(source.startswith("cid:") for source in re.findall(r'src="([^"]*)"', mail.html))
    assert "url(" not in mail.html
    assert mail.message.as_bytes().isascii()
