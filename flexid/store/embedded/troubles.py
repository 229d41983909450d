"""What keeps the embedded PostgreSQL from running, said so that an operator knows what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flexid.base.text import Text
from flexid.domain.errors import Unavailable

REMEDIES = {
    "Permission denied": "The embedded PostgreSQL may not use {path} ({problem}): "
    "let the user {user} read and write it, or choose another data_dir",
    "Operation not permitted": "The embedded PostgreSQL may not use {path} ({problem}): "
    "let the user {user} own it, or choose another data_dir",
    "No space left on device": "There is no room for the embedded PostgreSQL in {path} ({problem}): "
    "free some space, or choose another data_dir",
    "Disk quota exceeded": "There is no room for the embedded PostgreSQL in {path} ({problem}): "
    "free some space, or choose another data_dir",
    "Read-only file system": "The embedded PostgreSQL cannot write to {path} ({problem}): "
    "mount it writable, or choose another data_dir",
}
OTHERWISE = (
    "The embedded PostgreSQL does not run in {path} ({problem}): "
    "mend that, choose another data_dir, or name a server in database.url"
)

COMPLAINT = re.compile(r"(?:PANIC|FATAL|ERROR|error|setpriv|env): +(.+)")


def trouble(path: Path, user: str, problem: str) -> Unavailable:
    """Return the refusal for a problem, which is the system's or PostgreSQL's own words, in English."""
    remedy = next((remedy for sign, remedy in REMEDIES.items() if sign in problem), OTHERWISE)
    return Unavailable(Text(remedy, path=str(path), user=user, problem=problem))


def complaint(errors: str) -> str:
    """Return the sentence that matters of what a program of PostgreSQL wrote to its standard error."""
    found = COMPLAINT.search(errors)
    return found[1] if found else " ".join(errors.split())[-400:] or "it ended without a word"


@contextmanager
def explained(path: Path, user: str) -> Iterator[None]:
    """Turn what the operating system refuses into a reason.

    :raise Unavailable: the system refused.
    """
    try:
        yield
    except OSError as problem:
        raise trouble(Path(problem.filename or path), user, problem.strerror or str(problem)) from problem
