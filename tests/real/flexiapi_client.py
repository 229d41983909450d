"""The client of our API that is inside Debian's liblinphone, in a program that is compiled for the tests."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attrs import frozen

COMPILER = shutil.which("g++")
HEADER = Path("/usr/include/linphone/core.h")
SOURCE = Path(__file__).with_suffix(".cpp")


@frozen
class Answer:
    """What liblinphone makes of an answer.

    Of errors it hands over no body, of an empty one whatever was in its memory; without an answer the status is 0.
    """

    status: int
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@frozen
class FlexiApiClient:
    """A running core of liblinphone and its client."""

    process: subprocess.Popen[bytes]

    def ask(self, operation: str, *arguments: object) -> Answer:
        """Let it send a request, and return what came back."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write("\t".join(map(str, (operation, *arguments))).encode() + b"\n")
        self.process.stdin.flush()
        status, length = map(int, self.process.stdout.readline().split())
        body = self.process.stdout.read(length)
        assert self.process.stdout.read(1) == b"\n"
        return Answer(status, body)


def compiled(folder: Path) -> Path:
    """Return the program."""
    assert COMPILER
    program = folder / "flexiapi_client"
    command = [COMPILER, "-std=c++17", "-o", str(program), str(SOURCE), "-llinphone"]
    subprocess.run(command, check=True)  # found in the path
    return program


@contextmanager
def started(program: Path, home: Path, configuration: str, url: str, key: str = "") -> Iterator[FlexiApiClient]:
    """Run it with a configuration as Linphone's applications keep it."""
    (home / ".local/share/linphone").mkdir(parents=True, exist_ok=True)
    file = home / "linphonerc"
    file.write_text(configuration)
    process = subprocess.Popen(  # compiled above
        [program, file, url, *([key] if key else [])],
        env={**os.environ, "HOME": str(home)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        yield FlexiApiClient(process)
    finally:
        process.kill()
        process.communicate()
