"""The daemon: everything is built here, handed to each other, started and stopped."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from attrs import field, frozen
from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred, TimeoutError, ensureDeferred  # noqa: A004  # its name
from twisted.internet.protocol import Factory
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.failure import Failure

from flexid.base import memory
from flexid.base.clock import Clock
from flexid.base.configuration import DEFAULTS, Configuration
from flexid.base.settings import Settings
from flexid.domain.errors import DomainError, Unavailable
from flexid.hangup import Hangup
from flexid.outbound.outside import Outside, connect
from flexid.services.administrators import Administrator
from flexid.services.catalogue import Services, build
from flexid.services.database_server import DatabaseServer
from flexid.services.message_queue import MessageQueue, make_queue
from flexid.store.database import Database
from flexid.store.leadership import Leadership
from flexid.timers import Repeated, Timers, deliveries, expiring, hooks, jobs, notices, webhooks

if TYPE_CHECKING:
    from flexid.http.listeners import Listeners
    from flexid.http.ports import Ports
    from flexid.seeing.seeing import Seeing

FLUSH_SECONDS = 5.0
"""Between two writings of what API keys were used for."""
CONNECT_SECONDS = 2.0
"""How long the database may take to answer before we listen without it."""
RETRY_SECONDS = 1.0
DELIVERY_SECONDS = 5.0
"""For mails and SMS that are under way when we are told to end."""
FINISH_SECONDS = 25.0
"""For requests that are being answered when we are told to end; with all that follows it is less than 30."""


@frozen
class Worker:
    """What a process has from its parent, where it is one of several (`flexid.workers`)."""

    number: int
    """From 1 on; one that replaces another has its number."""
    of: int
    """How many there are."""
    dsn: str = field(repr=False)
    ports: Ports = field(repr=False)


class FlexidService(Service):
    """One process of flexid."""

    log = Logger()

    def __init__(
        self,
        reactor: Any,
        configuration: Configuration,
        say: Callable[[Sequence[str], str], None],
        give_up: Callable[[], None],
        worker: Worker | None = None,
    ) -> None:
        """`say` is called once, with our addresses and what the operator has to read; `give_up` ends a process that
        cannot run; `worker` is None where there is one process only.
        """
        self._reactor = reactor
        self._configuration = configuration
        self._settings = configuration.settings
        self._say = say
        self._give_up = give_up
        self._worker = worker
        self._is_stopping = False
        self._server = DatabaseServer(reactor, self._settings)
        self.hangup = self._hangup = Hangup(reactor)
        self._site: Any = None
        self._certificates: Any = None
        self._ready = False
        self._starting: Deferred[None] | None = None
        self._endings: list[Callable[[], Awaitable[None]]] = []
        """What is to be stopped, the last one first."""

    def startService(self) -> None:  # noqa: N802  # Twisted's name
        """Start as soon as the reactor runs."""
        super().startService()  # type: ignore[no-untyped-call]  # Twisted's
        self._hangup.listen()
        self._reactor.callWhenRunning(self._start)

    def stopService(self) -> Deferred[None]:  # noqa: N802  # Twisted's name
        """Stop in order: take nothing new, finish what runs, write down what is in memory, close."""
        super().stopService()  # type: ignore[no-untyped-call]  # Twisted's
        return ensureDeferred(self._stop())

    def announce_stop(self) -> None:
        """Tell whoever asks that we are about to stop, and go on serving."""
        self._is_stopping = True

    def _start(self) -> None:
        self._starting = ensureDeferred(self._run())
        self._starting.addErrback(self._failed)

    async def _run(self) -> None:
        for warning in self._configuration.warnings:
            self.log.warn("{warning}", warning=warning)
        self._endings.append(self._server.stop)
        # Importing takes as long as PostgreSQL does, on another core.
        importing = deferToThreadPool(self._reactor, self._reactor.getThreadPool(), import_module, "flexid.http.site")
        dsn = self._worker.dsn if self._worker else await self._server.start()
        await importing
        memory.started()
        database = Database(self._reactor, dsn, self._settings.database.pool_size)
        self._endings.append(database.stop)
        outside = connect(self._reactor, self._settings, os.environ)
        self._endings.append(outside.registrar.stop)
        self._read_hooks(outside)
        services = build(self._settings, database, Clock(), outside)
        services.watch()
        self._hangup.on("templates", services.forget_templates)
        leadership = Leadership(Database(self._reactor, dsn, 1))
        queue = self._make_message_queue(database, dsn)
        timers = self._make_timers(services, leadership)
        listeners = self._make_listeners(services)
        await database.start()
        first = await self._prepare(services, listeners)
        await leadership.start()
        for timer in timers:
            timer.start()
        if queue:
            await queue.start()
        await self._make_seeing(services, timers, queue).start()
        self._ready = True
        await listeners.open()
        self._say(listeners.addresses(self._settings.root_host), await self._introduction(services, first))

    def _read_hooks(self, outside: Outside) -> None:
        for file in (outside.document_hooks, outside.account_hooks):
            if file:
                names = ", ".join(file.read())
                self.log.info("Read hooks from {path}: {names}", path=str(file.path), names=names)
                self._hangup.on(f"hooks in {file.path}", file.reload)

    def _make_timers(self, services: Services, leadership: Leadership) -> tuple[Repeated | Timers, ...]:
        regular = (
            *jobs(services.housekeeping, services.deliveries, services.notices),
            *expiring(services.expirations),
        )
        timers = Timers(self._reactor, leadership.is_ours, regular)
        # Apart from the others, which no slow server of somebody else's is to hold up.
        carriers = Timers(self._reactor, leadership.is_ours, deliveries(services.deliveries, services.recovery))
        heralds = Timers(self._reactor, leadership.is_ours, notices(services.notices))
        callers = Timers(self._reactor, leadership.is_ours, hooks(services.account_hooks))
        messengers = Timers(self._reactor, leadership.is_ours, webhooks(services.webhook_deliveries))
        flushing = Repeated(self._reactor, "counting of API keys' uses", FLUSH_SECONDS, services.api_keys.flush)
        self._endings += [
            leadership.stop,
            partial(self._finish, services.webhook_deliveries.stop),
            messengers.stop,
            callers.stop,
            heralds.stop,
            partial(self._finish, services.deliveries.finish),
            carriers.stop,
            timers.stop,
        ]
        self._endings += [services.api_keys.flush, flushing.stop]
        return timers, carriers, heralds, callers, messengers, flushing

    async def _finish(self, deliveries: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Wait for what is under way to others; who takes too long is asked again at the next start."""
        under_way = ensureDeferred(deliveries())
        with suppress(TimeoutError):
            await under_way.addTimeout(DELIVERY_SECONDS, self._reactor)

    def _make_message_queue(self, database: Database, dsn: str) -> MessageQueue | None:
        if not self._settings.daemon.socket:
            return None
        queue = make_queue(
            self._reactor, Clock(), database, Database(self._reactor, dsn, 1), self._settings, os.environ
        )
        queue.watch()
        self._endings.append(queue.stop)
        return queue

    def _make_listeners(self, services: Services) -> Listeners:
        from flexid.http.listeners import Listeners  # noqa: PLC0415  # imported in the meantime
        from flexid.http.site import make_site  # noqa: PLC0415

        async def problems() -> dict[str, str]:
            if self._is_stopping:
                return {"flexid": "it is about to stop"}
            problem = await services.schema.problem() if self._ready else "the database is not ready yet"
            return {"database": problem} if problem else {}

        site = self._site = make_site(services, self._settings, self._reactor, problems, lambda: self._ready)
        listen = self._settings.listen
        secured = self._make_secured() if listen.https else None
        ports = self._worker.ports if self._worker else None
        listeners = Listeners(self._reactor, site, listen.http, listen.https, secured, ports)
        self._endings.append(lambda: listeners.close(FINISH_SECONDS))
        return listeners

    def _make_seeing(
        self, services: Services, timers: tuple[Repeated | Timers, ...], queue: MessageQueue | None
    ) -> Seeing:
        from flexid.seeing.families import Process  # noqa: PLC0415  # imported in the meantime
        from flexid.seeing.seeing import Seeing  # noqa: PLC0415

        worker = self._worker
        process = Process(
            self._site, services, timers, queue, lambda: self._certificates.ends_at if self._certificates else None
        )
        seeing = Seeing(
            self._reactor, self._settings, process, worker.number if worker else 1, worker.of if worker else 1
        )
        self._endings.append(seeing.stop)
        return seeing

    def _make_secured(self) -> Callable[[Factory], Any]:
        from flexid.http.tls import Certificates, TlsFactory  # noqa: PLC0415  # imported in the meantime

        certificates = self._certificates = Certificates(self._settings.tls)
        self._hangup.on("TLS certificates", certificates.reload)
        return lambda factory: TlsFactory(certificates, factory, self._reactor)

    async def _prepare(self, services: Services, listeners: Listeners) -> Administrator | None:
        """Wait for the database and bring it up to date; whoever asks meanwhile is told that we are not ready."""
        while True:
            try:
                await services.database.connected(CONNECT_SECONDS)
                for name in await services.schema.migrate():
                    self.log.info("Applied the migration {name}", event="database.migrated", name=name)
                return None if self._is_external else await services.administrators.make_first(self._settings.root_host)
            except Unavailable:
                await listeners.open()
                await deferLater(self._reactor, RETRY_SECONDS)

    async def _introduction(self, services: Services, first: Administrator | None) -> str:
        if first:
            return (
                "\n\nThis is the first start, so there is a first Space and its administrator now. Shown only once:\n"
                f"  username: {first.username}\n"
                f"  domain:   {first.domain}\n"
                f"  password: {first.password}\n"
                f"  API key:  {first.api_key}"
            )
        if self._is_external and not await services.spaces.every():
            host, source = self._settings.root_host, self._configuration.source
            flexid = f"flexid --config {source}" if source != DEFAULTS else "flexid"
            return (
                "\n\nThere is no Space yet. Make the first one, and its administrator, with:\n"
                f"  {flexid} spaces create-update {host} {host} --super\n"
                f"  {flexid} accounts create-admin"
            )
        return ""

    async def _stop(self) -> None:
        if self._starting:
            self._starting.cancel()
        if self._ready and not self._worker and self._settings.listen.drain_seconds:
            self.announce_stop()
            await deferLater(self._reactor, self._settings.listen.drain_seconds)
        for ending in reversed(self._endings):
            try:
                await ending()
            except Exception:  # noqa: BLE001  # the others have to be stopped all the same
                self.log.failure("While stopping")

    @property
    def _is_external(self) -> bool:
        return self._settings.database.is_external()

    def _failed(self, failure: Failure) -> None:
        if failure.check(CancelledError):
            return
        if failure.check(DomainError):
            reason = failure.getErrorMessage()
            self.log.critical("flexid cannot start: {reason}", event="flexid.cannot_start", reason=reason)
        else:
            self.log.failure("flexid cannot start", failure, event="flexid.cannot_start")
        self._give_up()


def check_certificates(settings: Settings) -> None:
    """Read the files of `[tls]` as the server would.

    :raise DomainError: one of them cannot be used.
    """
    from flexid.http.tls import Certificates  # noqa: PLC0415  # it takes long, and is seldom wanted

    Certificates(settings.tls)
