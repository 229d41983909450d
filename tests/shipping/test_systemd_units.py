"""The units that we ship, as systemd itself judges them; without it the tests skip."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

UNITS = Path(__file__).parents[2] / "deploy" / "systemd"
ANALYZE = shutil.which("systemd-analyze")
EXPOSURE = re.compile(r"Overall exposure level for \S+: ([0-9.]+)")

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not ANALYZE, reason="systemd-analyze is not installed: apt-get install systemd"),
]


def analyze(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    assert ANALYZE
    return subprocess.run([ANALYZE, *arguments], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", ["flexid", "linphone-daemon"])
def test_systemd_understands_every_line(name: str, tmp_path: Path) -> None:
    # Programs are looked for where systemd finds them: any that runs will do.
    unit = (UNITS / f"{name}.service").read_text()
    copy = tmp_path / f"{name}.service"
    copy.write_text(unit.replace(f"ExecStart={name} ", f"ExecStart={sys.executable} "))
    judged = analyze("verify", "--man=no", copy)
    assert (judged.returncode, judged.stderr) == (0, "")


@pytest.mark.parametrize(("name", "most"), [("flexid", 2.0), ("linphone-daemon", 3.5)])
def test_little_of_the_system_is_exposed(name: str, most: float) -> None:
    judged = analyze("security", "--offline=true", "--no-pager", UNITS / f"{name}.service")
    found = EXPOSURE.search(judged.stdout)
    assert found, judged.stderr
    assert float(found[1]) <= most


def test_messages_reach_linphone_daemon_in_a_tmp_that_nobody_else_sees() -> None:
    ours, its = ((UNITS / f"{name}.service").read_text() for name in ("flexid", "linphone-daemon"))
    assert "PrivateTmp=yes" in ours
    assert "PrivateTmp=yes" in its
    assert "JoinsNamespaceOf=flexid.service" in its
