"""One at a time: whoever starts or stops the server on a data directory holds its lock meanwhile."""

from __future__ import annotations

import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from flexid.base.text import Text
from flexid.domain.errors import Unavailable
from flexid.store.embedded.processes import Reactor, pause

RETRY_SECONDS = 0.01


@asynccontextmanager
async def locked(reactor: Reactor, directory: Path, patience: float) -> AsyncIterator[None]:
    """Hold the lock of a directory, waiting for others up to `patience` seconds.

    The directory itself is locked: no file for users to own, and the kernel lets go of it when we die.

    :raise Unavailable: somebody else kept it for longer.
    :raise OSError: the directory cannot be read.
    """
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        deadline = reactor.seconds() + patience
        while not _took(descriptor):
            if reactor.seconds() > deadline:
                raise Unavailable(
                    Text("Another process keeps {path} locked: see whether one of flexid hangs", path=str(directory))
                )
            await pause(reactor, RETRY_SECONDS)
        yield
    finally:
        os.close(descriptor)


def _took(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
