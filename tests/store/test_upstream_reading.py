"""Moving from Flexisip Account Manager, without any of it."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field

from flexid.domain import ini
from flexid.store.file_folder import FileFolder
from flexid.store.upstream import source, tidying
from flexid.store.upstream.files import copy
from flexid.store.upstream.findings import NAMED, Findings
from flexid.store.upstream.ini_mending import mended_ini
from flexid.store.upstream.moving import version
from flexid.store.upstream.source import UpstreamFailed
from flexid.store.upstream.staging import READERS
from flexid.store.upstream.tables import TABLES

ONE, TWO = "0f0e0d0c-0b0a-0908-0706-050403020100", "1f0e0d0c-0b0a-0908-0706-050403020100"


def noted(tidy: Any, row: dict[str, Any]) -> tuple[bool, list[tuple[str, str]]]:
    notes: list[tuple[str, str]] = []
    return tidy(row, lambda reason, fate: notes.append((reason, fate))), notes


def test_declared_kinds_are_kinds() -> None:
    assert {kind for table in TABLES for kind in table.columns.values()} == READERS.keys()


def test_a_url_says_where_a_database_is() -> None:
    address = source.read_address("mysql://me:p%40ss@db.example.org:3307/fam?unix_socket=%2Frun%2Fs")
    assert (address.user, address.password, address.host, address.port) == ("me", "p@ss", "db.example.org", 3307)
    assert (address.database, dict(address.options)) == ("fam", {"unix_socket": "/run/s"})
    assert "p@ss" not in repr(address)


@pytest.mark.parametrize("url", ["", "fam", "mysql://host", "mysql://host:x/fam", "oracle://h/d", "mysql://h/a/b"])
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(UpstreamFailed, match="address"):
        source.read_address(url)


def test_without_its_driver_mysql_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pymysql", None)
    monkeypatch.delitem(sys.modules, "flexid.store.upstream.mysql", raising=False)
    with pytest.raises(UpstreamFailed, match=re.escape("pip install 'flexid[mysql]'")):
        source.connect("mysql://u@localhost/fam")


@pytest.mark.parametrize(
    ("tables", "told"),
    [
        ({"spaces", "opaques"}, "2.1"),
        ({"spaces", "nonces"}, "2.0"),
        ({"sip_domains"}, "1.5 or later, before 2.0"),
        ({"sip_domains", "admins"}, "before 1.5"),
    ],
)
def test_tables_tell_the_version(tables: set[str], told: str) -> None:
    assert version(dict.fromkeys(tables)) == told


def test_lines_of_ini_text_that_cannot_be_read_become_remarks() -> None:
    text, reasons = mended_ini("x=1\r\n[a]\nhide_settings=1\nhide_settings_too=1\nb=2\nnonsense\n")
    assert text == ";x=1\n[a]\n;hide_settings=1\nhide_settings_too=1\nb=2\n;nonsense\n"
    assert len(reasons) == 3
    assert [section.name for section in ini.parse(text)] == ["a"]


def test_ini_text_that_is_too_long_is_refused() -> None:
    row = dict.fromkeys(("host", "name", "theme_hue", "max_account", "max_accounts", "logo"))
    kept, notes = noted(tidying.space, {**row, "domain": "a.org", "custom_provisioning_entries": "x" * 70_000})
    assert kept
    assert [fate for _, fate in notes] == ["refused"]


@pytest.mark.parametrize(
    ("stored", "algorithm", "kept"),
    [
        ("AB" * 16, "MD5", True),
        ("ab" * 32, "SHA-256", True),
        ("ab" * 32, "SHA256", True),
        ("ab" * 32, "MD5", False),
        ("secret", "CLRTXT", False),
        ("zz" * 16, "MD5", False),
        (None, None, False),
    ],
)
def test_only_hashes_are_passwords(stored: str | None, algorithm: str | None, kept: bool) -> None:  # noqa: FBT001
    row = {"password": stored, "algorithm": algorithm}
    assert noted(tidying.password, row)[0] is kept
    assert not kept or row["password"] == str(stored).lower()


def test_findings_name_some_and_count_all() -> None:
    findings = Findings()
    for number in range(NAMED + 5):
        findings.add("t", "why", "left out", [number])
    findings.add("t", "worse", "refused", ["x"], 7)
    first, second = findings
    assert (first.fate, first.count, first.ids) == ("refused", 7, ("x",))
    assert (second.count, len(second.ids)) == (NAMED + 5, NAMED)
    assert findings.refused


@define
class Theirs:
    folder: Path
    ours: FileFolder = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.ours = FileFolder(self.folder / "ours")

    def has(self, path: str, content: bytes) -> None:
        place = self.folder / "theirs" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)


def test_files_are_found_by_id_folder_or_name(tmp_path: Path) -> None:
    theirs = Theirs(tmp_path)
    theirs.has(f"a/{ONE}.wav", b"one")
    theirs.has("b/two.wav", b"two")
    files = [(ONE, "x.wav", 3), (TWO, "two.wav", None)]
    assert copy(tmp_path / "theirs", files, theirs.ours).count == 2
    with theirs.ours.open(TWO) as copied:
        assert copied.read() == b"two"


def test_names_that_two_files_have_tell_nothing(tmp_path: Path) -> None:
    theirs = Theirs(tmp_path)
    for folder in "ab":
        theirs.has(f"{folder}/two.wav", b"two")
    copied = copy(tmp_path / "theirs", [(TWO, "two.wav", 3)], theirs.ours)
    assert (copied.count, copied.missing) == (0, [TWO])
