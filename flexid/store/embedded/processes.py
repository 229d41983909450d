"""Other programs and threads, awaited without holding up the reactor."""

# mypy does not see which of zope's interfaces a class provides, and Twisted's code for processes has no types.
# mypy: disable-error-code="arg-type, no-untyped-call"

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeAlias, TypeVar

from attrs import frozen
from twisted.internet.posixbase import PosixReactorBase
from twisted.internet.protocol import ProcessProtocol
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThreadPool
from twisted.internet.utils import getProcessOutputAndValue

P = ParamSpec("P")
T = TypeVar("T")

ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "TZ": "UTC"}
"""Ours is kept from PostgreSQL: PGPORT, PGDATA and their like would change what it does, a locale what it says."""

DIRECTORY = "/"
"""The one we stand in may be closed to the user that a program runs as."""


Reactor: TypeAlias = PosixReactorBase
"""Time, processes and threads in one."""


@frozen
class Finished:
    """What a program left behind."""

    succeeded: bool
    output: str
    errors: str


async def run(reactor: Reactor, argv: list[str], typed: bytes | None = None) -> Finished:
    """Run a program to its end, with `typed` on its standard input; `argv[0]` is its full path."""
    deferred = getProcessOutputAndValue(argv[0], argv[1:], ENVIRONMENT, DIRECTORY, reactor, typed)
    # Death by a signal comes as an errback that carries the same three things.
    output, errors, code = await deferred.addErrback(
        lambda killed: (killed.value[0], killed.value[1], -killed.value[2])
    )
    return Finished(code == 0, output.decode(errors="replace"), errors.decode(errors="replace"))


def spawn(reactor: Reactor, protocol: ProcessProtocol, argv: list[str]) -> int:
    """Start a program that goes on running, and return its process number; `argv[0]` is its full path."""
    pid: int = reactor.spawnProcess(protocol, argv[0], argv, ENVIRONMENT, DIRECTORY).pid
    return pid


async def in_thread(reactor: Reactor, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a function that takes its time with the disk, in a thread of the reactor's pool."""
    return await deferToThreadPool(reactor, reactor.getThreadPool(), function, *args, **kwargs)


async def pause(reactor: Reactor, seconds: float) -> None:
    """Let the reactor do other things for that long."""
    await deferLater(reactor, seconds)
