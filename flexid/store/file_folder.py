"""Uploaded files on disk, in a folder that all nodes share.

All of it waits for the disk, which may be far away: it is for threads.
"""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, BinaryIO

from attrs import define, frozen

DRAFTS = "incoming"


@define(eq=False)
class Draft:
    """A file that nobody sees yet."""

    _file: IO[bytes]
    size: int = 0

    @property
    def path(self) -> Path:
        """Return where it lies."""
        return Path(self._file.name)

    def write(self, data: bytes) -> None:
        """Add to it."""
        self._file.write(data)
        self.size += len(data)

    def seal(self) -> None:
        """Let it outlive a loss of power."""
        self._file.flush()
        os.fsync(self._file.fileno())

    def head(self, length: int) -> bytes:
        """Return its first bytes."""
        self._file.seek(0)
        return self._file.read(length)

    def discard(self) -> None:
        """Remove it, unless it has its place by now."""
        self._file.close()
        self.path.unlink(missing_ok=True)


@frozen
class FileFolder:
    """Files by their ids, which are UUIDs: no other name ever becomes part of a path."""

    path: Path

    def draft(self) -> Draft:
        """Begin a file."""
        drafts = self.path / DRAFTS
        drafts.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Draft(NamedTemporaryFile(dir=drafts, delete=False))  # `discard` closes it

    def place(self, draft: Draft, file_id: str) -> None:
        """Give a sealed draft its place in one step, for good; what was there before is replaced."""
        place = self._place(file_id)
        if not place.parent.is_dir():
            place.parent.mkdir(mode=0o700, exist_ok=True)
            _sync(self.path)
        draft.path.replace(place)
        _sync(place.parent)

    def open(self, file_id: str) -> BinaryIO:
        """Open a file to read it.

        :raise FileNotFoundError: there is none.
        """
        return self._place(file_id).open("rb")

    def remove(self, file_id: str) -> None:
        """Remove a file, if it is there."""
        self._place(file_id).unlink(missing_ok=True)

    def remove_drafts(self, before: float) -> int:
        """Remove drafts that were last written before a time (seconds since 1970); return how many."""
        removed = 0
        for path in (self.path / DRAFTS).glob("*"):
            try:
                if path.stat().st_mtime < before:
                    path.unlink()
                    removed += 1
            except FileNotFoundError:
                continue
        return removed

    def _place(self, file_id: str) -> Path:
        # So that no folder holds too many.
        return self.path / file_id[:2] / file_id


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
