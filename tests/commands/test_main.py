from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from flexid.commands import command
from flexid.commands.commands_page import commands_page
from flexid.commands.main import MISUSED, overview, parse
from flexid.commands.table import BY_NAME, RUN, TABLE, Entry

ROOT = Path(__file__).parents[2]
COMMANDS = [entry for entry in TABLE if entry is not RUN]


def refusal(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[object, str, str]:
    with pytest.raises(SystemExit) as leaving:
        parse(words)
    said = capsys.readouterr()
    return leaving.value.code, said.out, said.err


@pytest.mark.parametrize("entry", COMMANDS, ids=lambda entry: entry.name)
def test_every_command_has_help(entry: Entry, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = refusal(capsys, *entry.name.split(), "--help")
    assert (code, err) == (0, "")
    assert entry.summary in out
    assert "--json" in out
    assert "--config" in out


DOCUMENTED = {
    "spaces create-update d h N --super": ("spaces:create-update",),
    "spaces import-dotenv d f --yes": ("spaces:import-configuration-from-dot-env",),
    "spaces expiration-emails 7,3,1": ("spaces:expiration-emails",),
    "accounts create-admin -u u -p p -d d -k 192.0.2.1 --overwrite": ("accounts:create-admin-account",),
    "accounts set-admin 1": ("accounts:set-admin",),
    "accounts clear-unconfirmed 30 --apply --and-confirmed": ("accounts:clear-unconfirmed",),
    "accounts clear-tombstones 30 --apply": ("accounts:clear-accounts-tombstones",),
    "accounts clear-files 30 --apply": ("accounts:clear-files",),
    "accounts send-voicemail-emails": ("accounts:send-voicemails-emails",),
    "accounts seed f": ("accounts:seed",),
    "accounts import f --domain d --dry-run": (),
    "accounts export": (),
    "api-keys clear 5": ("digest:clear-api-keys", "accounts:clear-api-keys"),
    "api-keys clear": (),
    "nonces clear 5": ("digest:clear-nonces", "digest:clear-opaques"),
    "statistics clear 30 --apply": ("app:clear-statistics",),
    "phone-countries update": ("app:update-phone-countries",),
    "db migrate": (),
    "db status": (),
    "db backup f": (),
    "db restore f": (),
    "import-upstream mysql://u:p@h/d --dry-run": (),
    "hooks check": (),
    "config check": (),
    "config show": (),
    "config from-dotenv f": (),
    "doctor": (),
}
"""What runbooks may say, and under which older names."""


@pytest.mark.parametrize("typed", DOCUMENTED)
def test_commands_are_known_by_all_their_names_with_all_their_options(typed: str) -> None:
    words = typed.split()
    entry, options = parse([*words, "--json"])
    assert typed.startswith(entry.name)
    assert options.json
    for alias in DOCUMENTED[typed]:
        assert parse([alias, *words[len(entry.name.split()) :]])[0] is entry


def test_no_older_name_is_forgotten() -> None:
    assert {alias for entry in TABLE for alias in entry.aliases} == {
        alias for aliases in DOCUMENTED.values() for alias in aliases
    }


def test_the_documentation_is_up_to_date() -> None:
    assert (ROOT / "docs" / "commands.md").read_text() == commands_page(), "make docs writes it"


def test_the_overview_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = refusal(capsys, "--help")
    assert code == 0
    assert all(entry.name in out for entry in TABLE)


def test_a_group_lists_its_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert refusal(capsys, "db", "--help") == (0, overview("db") + "\n", "")
    assert refusal(capsys, "db") == (MISUSED, "", overview("db") + "\n")


@pytest.mark.parametrize("words", [(), ("nonsense",), ("db", "nonsense"), ("db:status",), ("--nonsense",)])
def test_what_is_no_command_is_refused(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = refusal(capsys, *words)
    assert (code, out) == (MISUSED, "")
    assert err


@pytest.mark.parametrize("number", ["-1", "x", "1.5", "99999999999"])
def test_a_number_of_minutes_is_whole_and_not_negative(number: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = refusal(capsys, "nonces", "clear", number)
    assert (code, out) == (MISUSED, "")
    assert "no number of minutes" in err


def test_the_configuration_file_is_named_before_or_after_the_command() -> None:
    for words in (
        ["--config", "a.toml", "db", "status"],
        ["--config=a.toml", "db", "status"],
        ["db", "status", "--config", "a.toml"],
        ["--config", "b.toml", "db", "status", "--config", "a.toml"],
    ):
        assert parse(words)[1].config == Path("a.toml")


def test_without_a_command_twistd_means_the_server() -> None:
    assert parse([], default=RUN)[0] is RUN
    entry, options = parse(["--config", "a.toml"], default=RUN)
    assert (entry, options.config) == (RUN, Path("a.toml"))
    assert parse(["run"])[0] is RUN


def test_names_are_unique() -> None:
    assert len(BY_NAME) == sum(1 + len(entry.aliases) for entry in TABLE)


@pytest.mark.parametrize("typed", ["y\n", "Yes\n", "\n", "n\n"])
def test_only_yes_is_yes(typed: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    assert command.confirm("Sure?") is (typed.strip().lower() in {"y", "yes"})
    assert capsys.readouterr() == ("", "Sure? [y/N] ")
