"""The parent of several workers: it accepts connections, hands them over evenly, and looks after the processes."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred, DeferredList, ensureDeferred
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from flexid.base.configuration import Configuration
from flexid.domain.errors import DomainError
from flexid.hangup import Hangup
from flexid.services.database_server import DatabaseServer
from flexid.workers.doors import Doors
from flexid.workers.order import Order
from flexid.workers.worker import Hearers, Worker

FINISH_SECONDS = 29.0
"""From the end of accepting until workers that are still there are killed; they themselves take less."""
SHORT_LIFE = 5.0
"""Seconds. What ends sooner would end again at once: its successor waits."""
SHORTEST_PAUSE, LONGEST_PAUSE = 0.5, 10.0
TRIES = 5
"""How often workers may end before one was ready, until the node gives up."""


class Workers(Service):
    """A node with several processes; the embedded PostgreSQL is this one's."""

    log = Logger()

    def __init__(
        self,
        reactor: Any,
        configuration: Configuration,
        environment: Mapping[str, str],
        *,
        say: Callable[[Sequence[str], str], None],
        give_up: Callable[[], None],
        log_to: Callable[[bytes], None] | None,
    ) -> None:
        """`say` and `give_up` as `FlexidService` has them; `log_to` gets what workers log, None: they log as we do."""
        self._reactor = reactor
        self._configuration = configuration
        self._settings = configuration.settings
        self._environment = environment
        self._say = say
        self._give_up = give_up
        self._log_to = log_to
        self._number = self._settings.worker_count
        self._endpoints = tuple(self._settings.listen.endpoints())
        self._server = DatabaseServer(reactor, self._settings)
        self._doors = Doors(reactor, self._endpoints, self._hand)
        self.hangup = self._hangup = Hangup(reactor)
        self._hearers = Hearers(self._prepared, self._opened, self._ready, self._ending, self._ended)
        self._dsn = ""
        self._workers: set[Worker] = set()
        """All that are alive, those that finish too, but the spare one."""
        self._spare: Worker | None = None
        self._introductions: list[str] = []
        self._was_ready = False
        self._is_stopping = False
        self._tries = 0
        self._pause = SHORTEST_PAUSE
        self._later: set[Any] = set()
        self._starting: Deferred[None] | None = None

    def startService(self) -> None:  # noqa: N802  # Twisted's name
        """Start as soon as the reactor runs."""
        super().startService()  # type: ignore[no-untyped-call]  # Twisted's
        self._hangup.on("the workers", self._pass_on_hangup)
        self._hangup.listen()
        self._reactor.callWhenRunning(self._start)

    def stopService(self) -> Deferred[None]:  # noqa: N802  # Twisted's name
        """Stop in order: let nobody new in, let workers finish, stop the database."""
        super().stopService()  # type: ignore[no-untyped-call]  # Twisted's
        return ensureDeferred(self._stop())

    def _start(self) -> None:
        self._starting = ensureDeferred(self._run())
        self._starting.addErrback(self._failed)

    async def _run(self) -> None:
        for warning in self._configuration.warnings:
            self.log.warn("{warning}", warning=warning)
        # They import while PostgreSQL starts.
        idle = [self._spawn() for _ in range(self._number)]
        self._workers.update(idle)
        await self._doors.build()
        self._dsn = await self._server.start()
        for number, worker in enumerate(idle, 1):
            worker.serve(self._order(number))

    def _order(self, number: int) -> Order:
        return Order(number, self._number, self._dsn, self._endpoints, self._configuration)

    def _spawn(self) -> Worker:
        worker = Worker(self._reactor, self._environment, self._hearers, self._log_to)
        worker.spawn()
        return worker

    def _hand(self, place: int, connection: socket.socket) -> bool:
        """Hand a connection to who has the fewest, and of these to who has had the fewest."""
        takers = sorted((worker for worker in self._workers if worker.is_open), key=_load)
        return any(worker.hand(place, connection) for worker in takers)

    def _prepared(self, worker: Worker) -> None:
        if worker is self._spare:
            self.log.info("A spare worker is there, process {pid}", pid=worker.pid)

    def _opened(self, _: Worker) -> None:
        if sum(worker.is_open for worker in self._workers) == self._number:
            self._doors.open()

    def _ready(self, worker: Worker, introduction: str) -> None:
        self.log.info("{name} is ready, process {pid}", event="worker.ready", name=worker.name, pid=worker.pid)
        self._introductions.append(introduction)
        self._tries = 0
        if sum(worker.is_ready for worker in self._workers) < self._number:
            return
        if not self._was_ready:
            self._was_ready = True
            introduction = next(filter(None, self._introductions), "")
            self._say(self._doors.addresses(self._settings.root_host), introduction)
        if self._spare is None and not self._is_stopping:
            # To be there at once if one dies: importing takes longer than all the rest of a start.
            self._spare = self._spawn()

    def _ending(self, worker: Worker) -> None:
        """It takes nothing more. If others told it to end, it finishes what it has while another takes its place."""
        worker.finish()
        if worker.order and worker.is_ready and not self._is_stopping:
            worker.is_ready = False
            worker.is_replaced = True
            self.log.info("{name} was told to end", name=worker.name)
            self._replace(worker.order.number)

    def _ended(self, worker: Worker, how: str) -> None:
        if worker is self._spare:
            self._spare = None
        self._workers.discard(worker)
        if self._is_stopping or worker.is_replaced:
            return
        self.log.warn("{name} has ended ({how})", event="worker.ended", name=worker.name, how=how)
        if worker.order is None and self._was_ready:
            self._call_later(LONGEST_PAUSE, self._ensure_spare)
            return
        self._tries += 1
        if not self._was_ready and (worker.exit_code or self._tries == TRIES):
            self.log.critical("flexid cannot start: no worker can")
            self._give_up()
            return
        number = worker.order.number if worker.order else self._free_number()
        if self._reactor.seconds() - worker.began > SHORT_LIFE:
            self._pause = SHORTEST_PAUSE
            self._replace(number)
        else:
            self._call_later(self._pause, self._replace, number)
            self._pause = min(2 * self._pause, LONGEST_PAUSE)

    def _replace(self, number: int) -> None:
        worker, self._spare = self._spare or self._spawn(), None
        self._workers.add(worker)
        worker.serve(self._order(number))

    def _free_number(self) -> int:
        taken = {worker.order.number for worker in self._workers if worker.order}
        return next(number for number in range(1, self._number + 1) if number not in taken)

    def _ensure_spare(self) -> None:
        if self._spare is None:
            self._spare = self._spawn()

    def _call_later(self, seconds: float, function: Callable[..., None], *arguments: Any) -> None:
        self._later = {call for call in self._later if call.active()}
        self._later.add(self._reactor.callLater(seconds, function, *arguments))

    def _pass_on_hangup(self) -> None:
        for worker in self._workers:
            if worker.order:
                worker.signal("HUP")

    async def _stop(self) -> None:
        self._is_stopping = True
        if self._starting:
            self._starting.cancel()
        for call in self._later:
            if call.active():
                call.cancel()
        drain = self._settings.listen.drain_seconds
        if drain and self._was_ready:
            for worker in self._workers:
                worker.announce_stop()
            await deferLater(self._reactor, drain)
        await self._doors.close()
        every = [*self._workers, *([self._spare] if self._spare else [])]
        for worker in every:
            worker.finish()
        killing = self._reactor.callLater(FINISH_SECONDS, self._kill, every)
        await DeferredList([worker.gone for worker in every])
        if killing.active():
            killing.cancel()
        await self._server.stop()

    def _kill(self, workers: Sequence[Worker]) -> None:
        for worker in workers:
            worker.signal("KILL")

    def _failed(self, failure: Failure) -> None:
        if failure.check(CancelledError):
            return
        if failure.check(DomainError):
            self.log.critical("flexid cannot start: {reason}", reason=failure.getErrorMessage())
        else:
            self.log.failure("flexid cannot start", failure)
        self._give_up()


def _load(worker: Worker) -> tuple[int, int]:
    return worker.load, worker.handed
