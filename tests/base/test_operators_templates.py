"""Templates of an operator's own take the place of ours, and never that of a mail or page that has to go out."""

from __future__ import annotations

from pathlib import Path

import pytest
from twisted.logger import LogEvent, eventAsText, globalLogPublisher

from flexid.base.configuration import load
from flexid.base.languages import Languages
from flexid.base.templates import Templates

NAME = "mail/voicemail/subject.txt"
OURS = "New voicemail from bob"


@pytest.fixture
def templates(tmp_path: Path) -> Templates:
    return Templates(Languages(), tmp_path)


def _write(folder: Path, text: str) -> None:
    path = folder / NAME
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _render(templates: Templates, language: str = "en") -> str:
    return templates.render(NAME, language, caller="bob", account="alice@example.org").strip()


def test_a_template_of_the_operator_takes_the_place_of_ours(templates: Templates, tmp_path: Path) -> None:
    _write(tmp_path, 'Hey, {{ caller }}! {{ _("Password") }}')
    assert _render(templates) == "Hey, bob! Password"
    assert _render(templates, "fr") == "Hey, bob! Mot de passe"
    assert "Somebody" not in templates.render("mail/email_validation/subject.txt", "en")


def test_a_folder_that_is_not_there_changes_nothing(tmp_path: Path) -> None:
    assert _render(Templates(Languages(), tmp_path / "none")) == OURS


@pytest.mark.parametrize(
    "broken",
    ["{% if caller %}no end", "{{ nobody.knows }}", "{{ caller.no() }}", "{{ caller / 0 }}", "{% include 'x' %}"],
)
def test_where_it_is_broken_ours_is_used_and_an_error_is_logged(
    templates: Templates, tmp_path: Path, broken: str
) -> None:
    _write(tmp_path, f"secret {broken}")
    said: list[str] = []

    def observer(event: LogEvent) -> None:
        said.append(f"{event['log_level'].name} {eventAsText(event, includeTimestamp=False)}")

    globalLogPublisher.addObserver(observer)  # type: ignore[arg-type]  # any callable is an observer
    try:
        assert _render(templates) == OURS
    finally:
        globalLogPublisher.removeObserver(observer)  # type: ignore[arg-type]  # as above
    (line,) = said
    assert line.startswith("error ")
    assert NAME in line
    assert str(tmp_path) in line
    assert "secret" not in line


def test_what_we_get_wrong_ourselves_is_an_error(templates: Templates) -> None:
    with pytest.raises(Exception, match="nobody"):
        templates.render("mail/nobody/subject.txt", "en")


def test_what_was_read_is_read_again_once_it_is_forgotten(templates: Templates, tmp_path: Path) -> None:
    others = templates.with_words({"shout": str.upper})
    _write(tmp_path, "one")
    assert [_render(templates), _render(others)] == ["one", "one"]
    _write(tmp_path, "{{ caller }}")
    assert [_render(templates), _render(others)] == ["one", "one"]
    templates.forget()
    assert [_render(templates), _render(others)] == ["bob", "bob"]
    _write(tmp_path, "{{ shout(caller) }}")
    templates.forget()
    assert [_render(templates), _render(others)] == [OURS, "BOB"]


def test_the_folder_beside_the_configuration_is_used_without_further_settings(tmp_path: Path) -> None:
    path = tmp_path / "flexid.toml"
    path.write_text("")
    assert load({}, path).settings.templates_dir == tmp_path / "templates"
    path.write_text('templates_dir = "/srv/own"')
    assert load({}, path).settings.templates_dir == Path("/srv/own")
    assert load({"FLEXID_TEMPLATES_DIR": "/srv/other"}, path).settings.templates_dir == Path("/srv/other")
