"""The metrics of all processes of a node, whichever of them is asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from attrs import astuple, define, field
from twisted.internet.defer import Deferred, DeferredList, ensureDeferred, maybeDeferred
from twisted.internet.endpoints import UNIXClientEndpoint, connectProtocol
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from flexid.seeing.families import Family, with_labels

PATIENCE = 2.0
"""Seconds for another process to answer."""


@define
class Neighbours:
    """The processes of one node: each listens on a socket of its own, which is no file and ends with it."""

    reactor: Any
    node: int
    """The number of their common parent process."""
    number: int
    of: int
    own: Callable[[], list[Family]]
    _port: Any = field(default=None, init=False)

    def open(self) -> None:
        """Let the others ask."""
        if self.of > 1:
            self._port = self.reactor.listenUNIX(self._address(self.number), _Answering(self._packed))

    async def close(self) -> None:
        """Let nobody ask any more."""
        if self._port:
            await maybeDeferred(self._port.stopListening)

    async def gather(self) -> list[Family]:
        """Return the metrics of all processes, with `worker` on each sample; who does not answer is missing."""
        others = [number for number in range(1, self.of + 1) if number != self.number]
        answers: list[Any] = await DeferredList([ensureDeferred(self._ask(number)) for number in others])
        gathered = {self.number: self.own()}
        gathered |= {number: families for number, (_, families) in zip(others, answers, strict=True) if families}
        up = [("", {"worker": str(number)}, float(number in gathered)) for number in range(1, self.of + 1)]
        every = [Family("flexid_worker_up", "gauge", "Whether a process of this node answers.", up)]
        for number, families in sorted(gathered.items()):
            every += with_labels(families, worker=str(number))
        return every

    async def _ask(self, number: int) -> list[Family]:
        asking = _Asking()
        endpoint = UNIXClientEndpoint(self.reactor, self._address(number), timeout=PATIENCE)
        try:
            await connectProtocol(endpoint, asking)
            packed = await asking.answer.addTimeout(PATIENCE, self.reactor)
            return [Family(name, kind, says, samples) for name, kind, says, samples in orjson.loads(packed)]
        except Exception:  # noqa: BLE001  # it is starting, stopping or stuck: the others are told of all the same
            return []
        finally:
            if asking.transport:
                asking.transport.abortConnection()

    def _packed(self) -> bytes:
        return orjson.dumps([astuple(family, recurse=False) for family in self.own()])

    def _address(self, number: int) -> str:
        return f"\0flexid-metrics-{self.node}-{number}"


class _Answer(Protocol):
    transport: Any
    factory: Any

    def connectionMade(self) -> None:  # noqa: N802  # Twisted's name
        """Say everything, and hang up."""
        self.transport.write(self.factory.say())
        self.transport.loseConnection()


class _Answering(Factory):
    protocol = _Answer
    noisy = False

    def __init__(self, say: Callable[[], bytes]) -> None:
        self.say = say


class _Asking(Protocol):
    transport: Any = None

    def __init__(self) -> None:
        self.answer: Deferred[bytes] = Deferred()
        self._heard = b""

    def dataReceived(self, data: bytes) -> None:  # noqa: N802  # as above
        """Listen."""
        self._heard += data

    def connectionLost(self, _: Failure = connectionDone) -> None:  # noqa: N802  # as above
        """It has said everything."""
        if not self.answer.called:
            self.answer.callback(self._heard)
