"""What an audit finds, and what pyproject.toml excuses of it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path

from attrs import field, frozen

ROOT = Path(__file__).parents[2]


@frozen
class Finding:
    """Something that a tool complains of."""

    rule: str
    """The tool's own name for it."""
    place: str
    """A path from the top of the repository, or a package."""
    what: str
    line: int = field(default=0, eq=False)

    def __str__(self) -> str:
        at = f"{self.place}:{self.line}" if self.line else self.place
        return f"{at}: {self.rule} {self.what}"


@frozen
class Exceptions:
    """`[tool.flexid.audit.…]`: the pattern of a rule and a place, and the reason why it is no concern."""

    reasons: Mapping[str, str]

    def left(self, findings: Iterable[Finding]) -> tuple[list[Finding], list[str]]:
        """Return what is not excused, and the exceptions that excuse nothing."""
        unused = set(self.reasons)
        left = []
        for finding in findings:
            excused = {pattern for pattern in self.reasons if fnmatchcase(f"{finding.rule} {finding.place}", pattern)}
            unused -= excused
            if not excused:
                left.append(finding)
        return left, sorted(unused)


def exceptions(audit: str) -> Exceptions:
    """Return those of one audit."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return Exceptions(project["tool"]["flexid"]["audit"].get(audit, {}))
