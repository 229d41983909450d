"""pip-audit: installed packages with holes that are known."""

from __future__ import annotations

import json
import subprocess
import sys

from audit.findings import ROOT, Finding

SECONDS = 120


class OutOfReachError(Exception):
    """The service that knows of holes cannot be asked from here."""


def vulnerable_packages() -> list[Finding]:
    """Return the holes that are known of what is installed, the tools of developers too.

    :raise OutOfReachError: nobody could be asked about some of them.
    """
    command = [sys.executable, "-m", "pip_audit", "--local", "--skip-editable", "--format=json", "--timeout=5"]
    try:
        ran = subprocess.run(
            [*command, "--progress-spinner=off"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )
    except subprocess.TimeoutExpired as problem:
        raise OutOfReachError(f"no answer within {SECONDS} seconds") from problem
    # Without an answer there is no report either.
    packages = json.loads(ran.stdout)["dependencies"] if ran.stdout else []
    if not any("vulns" in package for package in packages):
        raise OutOfReachError(packages[0]["skip_reason"] if packages else ran.stderr.strip().rpartition("\n")[2])
    return [
        Finding(hole["id"], package["name"], f"in {package['version']}, mended in {hole['fix_versions']}")
        for package in packages
        for hole in package.get("vulns", ())
    ]
