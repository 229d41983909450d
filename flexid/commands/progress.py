"""How far something is that takes its time, on a terminal only."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TextIO

WIDTH = 30


def bar(total: int, doing: str, stream: TextIO | None = None) -> Callable[[int], None]:
    """Return what draws how much of a total is done; `doing` says in a word what is being done.

    It writes to standard error, and nowhere if that is no terminal.
    """
    target = stream or sys.stderr
    if not target.isatty():
        return lambda _: None

    def draw(done: int) -> None:
        part = min(done / total, 1.0) if total else 1.0
        full = int(WIDTH * part)
        end = "\n" if done >= total else ""
        target.write(f"\r[{'#' * full}{' ' * (WIDTH - full)}] {int(100 * part)} % {doing}\x1b[K{end}")
        target.flush()

    return draw
