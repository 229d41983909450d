"""A program that stands in for flexisip_pusher: it notes what it was called with, and does as it is told."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from attrs import frozen

_PROGRAM = """#!{python}
import json, os, sys, time
folder = {folder!r}
secrets = [name for name in os.environ if name.startswith("FLEXID_")]
with open(os.path.join(folder, "calls"), "a") as calls:
    calls.write(json.dumps({{"arguments": sys.argv[1:], "secrets": secrets}}) + "\\n")
{then}
"""


@frozen
class FakePusher:
    """The program, in a folder of its own."""

    folder: Path

    @property
    def path(self) -> Path:
        return self.folder / "flexisip_pusher"

    def does(self, then: str = "") -> None:
        """Let the program run some Python after it has noted its call."""
        self.path.write_text(_PROGRAM.format(python=sys.executable, folder=str(self.folder), then=then))
        self.path.chmod(0o755)

    def calls(self) -> list[list[str]]:
        """Return the arguments of each call."""
        noted = self.folder / "calls"
        lines = noted.read_text().splitlines() if noted.exists() else []
        calls = [json.loads(line) for line in lines]
        assert all(call["secrets"] == [] for call in calls)
        return [call["arguments"] for call in calls]
