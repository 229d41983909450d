"""The server's own log: a file that stays small."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from attrs import frozen

from flexid.store.embedded.identity import Runner

LARGEST = 1_000_000
"""Bytes; then the file makes room for a new one, and its predecessor goes."""


@frozen
class ServerLog:
    """The log file `path`, and `path.1` before it; they belong to whom the server runs as."""

    path: Path
    runner: Runner

    def write(self, data: bytes) -> None:
        """Append what the server said; what a full disk does not take is lost, which harms nobody."""
        with suppress(OSError):
            if self.path.exists() and self.path.stat().st_size + len(data) > LARGEST:
                self.path.replace(self.path.with_name(f"{self.path.name}.1"))
            file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
            try:
                self.runner.give(file)
                os.write(file, data)
            finally:
                os.close(file)
