"""Bandit: Python that invites attacks."""

from __future__ import annotations

import json
import subprocess
import sys

from audit.findings import ROOT, Finding

PLACES = ("flexid", "deploy", "examples", "twisted", "setup.py")


def dangerous_code() -> list[Finding]:
    """Return what bandit complains of in all that is delivered."""
    command = [sys.executable, "-m", "bandit", "--quiet", "--recursive", "--format=json", *PLACES]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    report = json.loads(ran.stdout)
    assert not report["errors"], report["errors"]
    return [
        Finding(found["test_id"], found["filename"].removeprefix("./"), found["issue_text"], found["line_number"])
        for found in report["results"]
    ]
