"""Reads our Dockerfile, so that its steps can be done without Docker."""

from __future__ import annotations

import json
import re
from pathlib import Path

from attrs import frozen

ROOT = Path(__file__).parents[2]
CONTINUED = re.compile(r"\\\n\s*")
PAIR = re.compile(r'(\w+)=("[^"]*"|\S+)')


@frozen
class Dockerfile:
    """Its instructions: name, and what follows."""

    steps: tuple[tuple[str, str], ...]

    def of(self, name: str) -> list[str]:
        """Return what follows each instruction of that name."""
        return [rest for found, rest in self.steps if found == name]

    @property
    def build_runs(self) -> list[str]:
        """The shell commands of the first stage."""
        stages = [place for place, (name, _) in enumerate(self.steps) if name == "FROM"]
        return [rest for name, rest in self.steps[: stages[1]] if name == "RUN"]

    @property
    def environment(self) -> dict[str, str]:
        """What `ENV` sets."""
        return {name: value.strip('"') for line in self.of("ENV") for name, value in PAIR.findall(line)}

    @property
    def health_check(self) -> list[str]:
        """The command that says whether the container is well."""
        command: list[str] = json.loads(self.of("HEALTHCHECK")[0].partition("CMD ")[2])
        return command


def read() -> Dockerfile:
    """Return the repository's."""
    lines = CONTINUED.sub(" ", (ROOT / "Dockerfile").read_text()).splitlines()
    words = [line.partition(" ") for line in lines if line and not line.startswith("#")]
    return Dockerfile(tuple((name, rest.strip()) for name, _, rest in words))


def copied() -> list[str]:
    """Return what `.dockerignore` lets into the image's first stage."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    return [line.removeprefix("!") for line in lines if line.startswith("!")]
