"""Uploaded files of Flexisip Account Manager, wherever below a folder they lie."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from attrs import Factory, define

from flexid.store.file_folder import FileFolder

PIECE = 1 << 20
File = tuple[str, str, int | None]
"""Its id, its name and its size."""


@define
class Copied:
    """How many files were copied, and the ids of those that are not there or have another size."""

    count: int = 0
    missing: list[str] = Factory(list)


def copy(source: Path, files: Iterable[File], folder: FileFolder) -> Copied:
    """Copy the files that are there into our folder, whatever was there before.

    A file is found by its id as its name, with or without a suffix, or as the name of its folder; else by its own name,
    if no other file below the folder is called so.

    :raise OSError: something cannot be read or written.
    """
    by_id, by_name = _index(source)
    copied = Copied()
    for file_id, name, size in files:
        alike = by_name.get(name, [])
        found = by_id.get(file_id) or (alike[0] if len(alike) == 1 else None)
        if found is None or (size is not None and found.stat().st_size != size):
            copied.missing.append(file_id)
            continue
        draft = folder.draft()
        try:
            with found.open("rb") as content:
                while piece := content.read(PIECE):
                    draft.write(piece)
            draft.seal()
            folder.place(draft, file_id)
        finally:
            draft.discard()
        copied.count += 1
    return copied


def _index(source: Path) -> tuple[dict[str, Path], dict[str, list[Path]]]:
    by_id: dict[str, Path] = {}
    by_name: dict[str, list[Path]] = {}
    for parent, _, names in os.walk(source):
        for name in names:
            path = Path(parent, name)
            by_id.setdefault(path.stem.lower(), path)
            by_id.setdefault(path.parent.name.lower(), path)
            by_name.setdefault(name, []).append(path)
    return by_id, by_name
