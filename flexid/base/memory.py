"""Python's collector of cycles, while a process starts: nothing is garbage yet, and looking for it takes a tenth of the
time.
"""

from __future__ import annotations

import gc


def starting() -> None:
    """Look for no garbage from now on."""
    gc.disable()


def started() -> None:
    """Look for garbage again, but never among what is there now: modules stay as long as the process does."""
    gc.freeze()
    gc.enable()
