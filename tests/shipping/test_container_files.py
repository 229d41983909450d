"""The files for Docker, looked at without Docker."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from shipping import dockerfile

from flexid.base.configuration import keys

ROOT = Path(__file__).parents[2]
TOOLS = Path(sys.executable).parent
VARIABLE = re.compile(r"\bFLEXID_[A-Z_]+\b")


@pytest.mark.parametrize(
    "command",
    [
        [TOOLS / "hadolint", "Dockerfile"],
        [TOOLS / "check-jsonschema", "--builtin-schema=vendor.compose-spec", "docker-compose.yml"],
    ],
    ids=["hadolint", "compose"],
)
def test_those_who_know_find_nothing_wrong(command: list[str | Path]) -> None:
    judged = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert judged.returncode == 0, judged.stdout + judged.stderr


@pytest.mark.parametrize("name", ["Dockerfile", "docker-compose.yml", "deploy/compose.env"])
def test_they_set_what_there_is_to_be_set(name: str) -> None:
    known = {key.variable for key in keys()} | {"FLEXID_PUBLISH"}
    assert set(VARIABLE.findall((ROOT / name).read_text())) <= known


def test_the_example_of_secrets_sets_all_that_compose_demands() -> None:
    demanded = set(re.findall(r"\$\{(\w+):\?", (ROOT / "docker-compose.yml").read_text()))
    assert demanded == set(re.findall(r"^(\w+)=", (ROOT / "deploy/compose.env").read_text(), re.MULTILINE))


def test_the_container_is_nobody_of_rank() -> None:
    assert dockerfile.read().of("USER") == ["4660"]


def test_all_that_the_container_is_made_of_is_there() -> None:
    for name in dockerfile.copied():
        assert (ROOT / name).exists(), name


def test_packages_have_the_version_of_the_project() -> None:
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    packaged = re.match(r"flexid \((.+)\) ", (ROOT / "debian/changelog").read_text())
    assert version
    assert packaged
    assert packaged[1] == version[1]
