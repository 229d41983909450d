"""Tests on the real reactor."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, cast

import pytest_twisted
from twisted.internet import reactor as installed  # tests of real sockets and processes
from twisted.internet.task import deferLater

P = ParamSpec("P")

reactor: Any = installed


def asynchronous(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Run a test on the reactor."""
    return cast("Callable[P, None]", pytest_twisted.ensureDeferred(test))


async def until(holds: Callable[[], bool], within: float = 5.0) -> None:
    """Wait until something holds, leaving the reactor to its work."""
    deadline = reactor.seconds() + within
    while not holds():
        assert reactor.seconds() < deadline, "it did not come true in time"
        await deferLater(reactor, 0.01, lambda: None)
