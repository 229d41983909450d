"""The house: which room may look into which (docs/contributing.md)."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAY_IMPORT = {
    "base": set(),
    "domain": {"base"},
    "store": {"base", "domain"},
    "outbound": {"base", "domain"},
    "daemon_bridge": {"base", "domain"},
    "services": {"base", "domain", "store", "outbound", "daemon_bridge"},
    "http": {"base", "domain", "services"},
    "commands": {"base", "domain", "services", "service", "workers"},
    "timers": {"base", "domain", "services"},
    "hangup": set(),
    "seeing": {"base", "domain", "services", "http", "timers"},
    "workers": {"base", "domain", "services", "http", "hangup", "service"},
    "service": {"base", "domain", "store", "outbound", "services", "http", "timers", "hangup", "seeing"},
}
LONGEST_MODULE = 400
MODULES = sorted(path.relative_to(ROOT) for path in (ROOT / "flexid").rglob("*.py"))


def _room(module: str) -> str | None:
    parts = module.split(".")
    return parts[1] if parts[0] == "flexid" and len(parts) > 1 else None


def _imported_rooms(path: Path) -> set[str]:
    rooms = set()
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        if isinstance(node, ast.Import):
            rooms |= {_room(alias.name) for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path} imports relatively"
            names = [f"flexid.{alias.name}" for alias in node.names] if node.module == "flexid" else [node.module]
            rooms |= {_room(name) for name in names}
    return {room for room in rooms if room}


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_no_room_looks_into_one_that_it_must_not_know(path: Path) -> None:
    room = path.parts[1].removesuffix(".py")
    if room == "__init__":
        return
    assert _imported_rooms(path) <= {*MAY_IMPORT[room], room}


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_no_module_is_too_long_to_be_read(path: Path) -> None:
    assert len((ROOT / path).read_text().splitlines()) <= LONGEST_MODULE


def test_the_domain_knows_neither_twisted_nor_files() -> None:
    banned = {"twisted", "klein", "psycopg2", "txpostgres", "os", "pathlib", "socket"}
    for path in (path for path in MODULES if path.parts[1] == "domain"):
        for node in ast.walk(ast.parse((ROOT / path).read_text())):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert not {name.split(".")[0] for name in names} & banned, path


def test_sql_stands_in_the_store_only() -> None:
    words = ("SELECT ", "INSERT INTO ", "UPDATE ", "DELETE FROM ")
    for path in (path for path in MODULES if path.parts[1] != "store"):
        for node in ast.walk(ast.parse((ROOT / path).read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert not node.value.lstrip().startswith(words), path
