"""`python -m flexid.workers.child`: a worker. It is started by flexid, and by nobody else."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from attrs import define, field
from twisted.logger import ILogObserver, LogEvent, globalLogBeginner
from zope.interface import implementer

from flexid.base import handover, memory
from flexid.base.channel import Channel
from flexid.base.logs import Lines
from flexid.base.relevel import LogLevel
from flexid.http.handed import Handed
from flexid.workers.order import LONGEST, Order
from flexid.workers.worker import CHANNEL

FAILED = 1
"""The exit code of a worker that cannot serve."""


def main() -> None:
    """Get ready, wait for an order, and serve."""
    # Of the terminal, which sends it to all; the parent passes on what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end = socket.socket(fileno=CHANNEL)
    memory.starting()
    for module in ("flexid.service", "flexid.http.listeners", "flexid.http.site"):
        import_module(module)
    end.send(handover.PREPARED)
    message = end.recv(LONGEST)
    if not message:
        return
    sys.exit(_serve(end, Order.unpacked(message[len(handover.ORDER) :])))


def _serve(end: socket.socket, order: Order) -> int:
    from twisted.internet import reactor  # noqa: PLC0415, TID251  # this process is made here

    from flexid.service import FlexidService, Worker  # noqa: PLC0415  # imported a moment ago

    lines = Lines(sys.stderr, order.configuration.settings.log, on_terminal=sys.stderr.isatty())

    @implementer(ILogObserver)
    def log(event: LogEvent) -> None:
        lines({**event, "worker": order.number})

    def say(_: Sequence[str], introduction: str) -> None:
        channel.say(handover.READY + introduction.encode())

    globalLogBeginner.beginLoggingTo([log], redirectStandardIO=False, discardBuffer=True)
    life = _Life(reactor)
    channel = Channel(reactor, end, life.hear, life.finish)
    life.ports = Handed(reactor, channel, order.endpoints)
    life.service = FlexidService(
        reactor,
        order.configuration,
        say,
        life.give_up,
        Worker(order.number, order.of, order.dsn, life.ports),
    )
    life.service.hangup.on("the log level", LogLevel(lines, os.environ, order.configuration.source).read)
    life.live(channel)
    return life.exit_code


@define
class _Life:
    """What begins and ends a worker."""

    reactor: Any
    exit_code: int = 0
    service: Any = field(default=None, init=False)
    ports: Any = field(default=None, init=False)
    _is_ending: bool = field(default=False, init=False)

    def live(self, channel: Channel) -> None:
        """Serve until the end."""
        self.reactor.addSystemEventTrigger("before", "shutdown", self.service.stopService)
        self.reactor.callWhenRunning(self._begin, channel)
        self.reactor.run()

    def hear(self, message: bytes, descriptor: int | None) -> None:
        """Do what the parent says."""
        kind = message[:1]
        if kind == handover.CONNECTION:
            self.ports.take(message[1], descriptor)
        elif kind == handover.STOPPING:
            self.service.announce_stop()

    def finish(self) -> None:
        """End: the parent has nothing more to say, or is gone."""
        self.ports.over()
        self._end()

    def give_up(self) -> None:
        """End: this process cannot serve."""
        self.exit_code = FAILED
        self._end()

    def _begin(self, channel: Channel) -> None:
        # Twisted's own handler complains where the end has been heard of before.
        signal.signal(signal.SIGTERM, lambda *_: self.reactor.callFromThread(self._end))
        self.service.startService()
        channel.listen()

    def _end(self) -> None:
        if not self._is_ending:
            self._is_ending = True
            self.reactor.stop()


if __name__ == "__main__":
    main()
