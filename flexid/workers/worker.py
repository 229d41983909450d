"""A worker, as its parent sees it."""

# Twisted's code for processes has no types.
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessExitedAlready
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

from flexid.base import handover
from flexid.base.channel import Channel, pair
from flexid.workers.order import Order

MODULE = "flexid.workers.child"
CHANNEL = 3
"""The descriptor at which a worker finds it."""


@frozen
class Hearers:
    """Who hears what becomes of a worker."""

    prepared: Callable[[Worker], None]
    opened: Callable[[Worker], None]
    ready: Callable[[Worker, str], None]
    ending: Callable[[Worker], None]
    ended: Callable[[Worker, str], None]


class Worker(ProcessProtocol):
    """A process that has imported all that it needs, and serves once it has an order."""

    transport: Any = None

    def __init__(
        self,
        reactor: Any,
        environment: Mapping[str, str],
        hearers: Hearers,
        log_to: Callable[[bytes], None] | None,
    ) -> None:
        """`log_to` gets what it logs; None: it logs where we do."""
        self.order: Order | None = None
        self.is_open = False
        """Whether it takes connections."""
        self.is_ready = False
        self.is_replaced = False
        """Whether another one has taken its place, while it finishes."""
        self.began = reactor.seconds()
        """When it got its order."""
        self.exit_code: int | None = None
        self.gone: Deferred[None] = Deferred()
        self._hearers = hearers
        self._reactor = reactor
        self._environment = environment
        self._log_to = log_to
        self.handed = 0
        """How many connections it has had."""
        self._closed = 0
        ours, self._theirs = pair()
        self._channel = Channel(reactor, ours, self._heard, self._over)

    @property
    def load(self) -> int:
        """How many connections it has."""
        return self.handed - self._closed

    @property
    def pid(self) -> int:
        """The number of the process."""
        pid: int = self.transport.pid
        return pid

    @property
    def name(self) -> str:
        """How it is called in the log."""
        return f"Worker {self.order.number}" if self.order else "The spare worker"

    def spawn(self) -> None:
        """Start the process."""
        argv = [sys.executable, "-P", "-m", MODULE]
        null = os.open(os.devnull, os.O_RDWR)
        try:
            said: Any = "r" if self._log_to else 2
            descriptors = {0: null, 1: said, 2: said, CHANNEL: self._theirs.fileno()}
            self._reactor.spawnProcess(self, argv[0], argv, env=dict(self._environment), childFDs=descriptors)
        finally:
            os.close(null)
            self._theirs.close()
        self._channel.listen()

    def serve(self, order: Order) -> None:
        """Give it its order."""
        self.order = order
        self.began = self._reactor.seconds()
        self._channel.say(handover.ORDER + order.packed())

    def hand(self, place: int, connection: socket.socket) -> bool:
        """Give it a connection; return whether it has room for it."""
        taken = self._channel.say(handover.CONNECTION + bytes([place]), connection.fileno())
        self.handed += taken
        return taken

    def announce_stop(self) -> None:
        """Let it say that this node is about to stop."""
        self._channel.say(handover.STOPPING)

    def finish(self) -> None:
        """Let it finish what it has, and end."""
        self.is_open = False
        self._channel.finish()

    def signal(self, name: str) -> None:
        """Send a signal, unless it is gone."""
        with suppress(ProcessExitedAlready):
            self.transport.signalProcess(name)

    def outReceived(self, data: bytes) -> None:  # noqa: N802  # Twisted's name
        """Pass on what it prints."""
        self.errReceived(data)

    def errReceived(self, data: bytes) -> None:  # noqa: N802  # Twisted's name
        """Pass on what it logs."""
        if self._log_to:
            self._log_to(data)

    def processExited(self, reason: Failure) -> None:  # noqa: N802  # Twisted's name
        """Tell how it ended."""
        status: Any = reason.value
        self.is_open = False
        self.exit_code = status.exitCode
        self._channel.close()
        self._hearers.ended(self, f"signal {status.signal}" if status.signal else f"exit code {status.exitCode}")
        self.gone.callback(None)

    def _heard(self, message: bytes, _: int | None) -> None:
        kind, rest = message[:1], message[1:]
        if kind == handover.PREPARED:
            self._hearers.prepared(self)
        elif kind == handover.OPEN:
            self.is_open = True
            self._hearers.opened(self)
        elif kind == handover.READY:
            self.is_ready = True
            self._hearers.ready(self, rest.decode())
        elif kind == handover.CLOSED:
            self._closed = int(rest)
        elif kind == handover.ENDING:
            self._hearers.ending(self)

    def _over(self) -> None:
        """It speaks no more; the end of its process is heard of separately."""
        self.is_open = False
