"""`/metrics`, on a listener of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from attrs import define, field
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.metrics_core import Metric
from twisted.internet.defer import ensureDeferred, maybeDeferred
from twisted.logger import Logger
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Site

from flexid.domain.errors import Unavailable
from flexid.http.ports import CannotServe, listen
from flexid.seeing.families import Family
from flexid.seeing.gathering import Neighbours
from flexid.services.queue_lengths import QueueLengths

PATH = b"/metrics"
RETRY_SECONDS = 1.0


@define
class MetricsListener:
    """Serves `/metrics` to whoever may reach its ports; there is no key, so these belong to the operator's network."""

    log = Logger()

    reactor: Any
    endpoints: tuple[str, ...]
    neighbours: Neighbours
    lengths: QueueLengths
    _ports: list[Any] = field(factory=list, init=False)
    _again: Any = field(default=None, init=False)

    async def open(self) -> None:
        """Listen; of several processes of a node the first one does, and all answer it.

        :raise CannotServe: an endpoint is none, or is taken.
        """
        self.neighbours.open()
        if self.neighbours.number != 1:
            return
        try:
            await self._listen()
        except CannotServe:
            if self.neighbours.of == 1:
                raise
            # The process whose place this one took may not have closed it yet.
            self._again = self.reactor.callLater(RETRY_SECONDS, self._try_again)

    async def close(self) -> None:
        """Serve no more."""
        if self._again and self._again.active():
            self._again.cancel()
        for port in self._ports:
            await maybeDeferred(port.stopListening)
        await self.neighbours.close()

    def addresses(self) -> list[str]:
        """Return where the ports are, for tests that let the system choose."""
        return [f"{port.getHost().host}:{port.getHost().port}" for port in self._ports]

    async def text(self) -> bytes:
        """Return everything in Prometheus' format."""
        return rendered([*await self.neighbours.gather(), *await self._of_all()])

    async def _listen(self) -> None:
        site = Site(_Page(self))
        site.displayTracebacks = False
        site.noisy = False
        for endpoint in self.endpoints[len(self._ports) :]:
            self._ports.append(await listen(self.reactor, endpoint, site))

    def _try_again(self) -> None:
        def complain(failure: Any) -> None:
            self.log.error("Metrics are not served: {reason}", event="metrics.away", reason=failure.getErrorMessage())

        ensureDeferred(self._listen()).addErrback(complain)

    async def _of_all(self) -> list[Family]:
        """Return what concerns all processes that share the database: it is told once."""
        try:
            lengths = await self.lengths.count()
        except Unavailable:
            return [Family("flexid_database_up", "gauge", "Whether the database answers.", [("", {}, 0.0)])]
        outbox: list[Any] = [
            ("", {"channel": channel, "state": state}, float(items))
            for (channel, state), items in sorted(lengths.outbox.items())
        ]
        messages: list[Any] = [("", {"state": state}, float(items)) for state, items in lengths.messages.items()]
        return [
            Family("flexid_database_up", "gauge", "Whether the database answers.", [("", {}, 1.0)]),
            Family("flexid_outbox_items", "gauge", "What is in the outbox, counted up to 10,000 each.", outbox),
            Family(
                "flexid_outbox_oldest_seconds",
                "gauge",
                "How long the oldest of what waits in the outbox has waited.",
                [("", {}, lengths.oldest_seconds)],
            ),
            Family("flexid_messages_waiting", "gauge", "SIP messages that wait, or whose end is not known.", messages),
        ]


def of_process() -> list[Family]:
    """Return processor time, memory, descriptors and the start of this process."""
    return [
        Family(
            metric.name,
            "counter" if metric.type == "counter" else "gauge",
            metric.documentation,
            [(sample.name.removeprefix(metric.name), dict(sample.labels), sample.value) for sample in metric.samples],
        )
        for metric in ProcessCollector(registry=None).collect()
    ]


def rendered(families: Iterable[Family]) -> bytes:
    """Return families in Prometheus' format; those of one name, of several processes, become one."""
    metrics: dict[str, Metric] = {}
    for family in families:
        metric = metrics.setdefault(family.name, Metric(family.name, family.says, family.kind))
        for suffix, labels, value in family.samples:
            metric.add_sample(family.name + suffix, labels, value)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collected(metrics))
    return generate_latest(registry)


class _Collected:
    def __init__(self, metrics: dict[str, Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        yield from self._metrics.values()

    def describe(self) -> list[Metric]:
        return []


class _Page(Resource):
    isLeaf = True  # noqa: N815  # Twisted's name
    log = Logger()

    def __init__(self, listener: MetricsListener) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Twisted's
        self._listener = listener

    def render_GET(self, request: Any) -> int | bytes:  # noqa: N802  # as above
        """Answer."""
        if request.path != PATH:
            request.setResponseCode(404)
            request.setHeader(b"Content-Type", b"text/plain")
            return b""
        gone: list[object] = []
        request.notifyFinish().addErrback(gone.append)

        def send(text: bytes) -> None:
            if not gone:
                request.setHeader(b"Content-Type", CONTENT_TYPE_LATEST.encode())
                request.setHeader(b"Server", b"flexid")
                request.write(text)
                request.finish()

        def complain(failure: Any) -> None:
            self.log.failure("Metrics could not be told", failure, event="metrics.failed")
            if not gone:
                request.setResponseCode(500)
                request.finish()

        ensureDeferred(self._listener.text()).addCallback(send).addErrback(complain)
        return NOT_DONE_YET
