"""Sending messages, in the one process that owns the daemon's socket: what all processes have queued, at a pace, one
Space after the other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from uuid import UUID

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.task import LoopingCall, deferLater
from twisted.logger import Logger

from flexid.base.clock import Clock, random_share
from flexid.base.peer_settings import DaemonSettings
from flexid.base.settings import Settings
from flexid.daemon_bridge.answers import Refused
from flexid.daemon_bridge.bridge import Bridge, Hearers
from flexid.daemon_bridge.polling import Outcome
from flexid.daemon_bridge.protocol import AnswerLost, NotWritten
from flexid.daemon_bridge.supervisor import Supervisor
from flexid.domain.errors import Unavailable
from flexid.domain.message import Claimed, DaemonReport
from flexid.services.awakened import Awakened
from flexid.services.ledger import Ledger
from flexid.services.token_bucket import TokenBucket
from flexid.store import message_daemons, messages
from flexid.store.database import Database

TICK = 1.0
"""Seconds between two tries for the lock, and between two looks at the queue if nobody says that there is anything."""
BURST = 5
"""Messages that go out at once after a pause: the daemon handles one SIP answer in 20 milliseconds."""
MOST_UNDER_WAY = 150
"""Messages that the daemon works on at once: on a machine that is busy otherwise it falls behind, repeats what was
answered, and falls behind for good. A peer that says nothing is worked on for 32 seconds."""
GRACE = 2.0
"""Seconds, when flexid stops, for the ends of messages that are under way, and for writing them down."""
POLL = 0.05


class MessageQueue:
    """Tries to become the owner of the socket, and is it until it stops or loses the lock."""

    log = Logger()

    def __init__(
        self,
        reactor: Any,
        clock: Clock,
        database: Database,
        lock: Database,
        settings: DaemonSettings,
        share: Callable[[], float],
        supervisor: Supervisor | None = None,
    ) -> None:
        """`lock` has one connection, and nobody else uses it; `supervisor` runs the daemon, if we have to."""
        self.outcomes: Counter[str] = Counter()
        """How many messages were sent, and came to which end."""
        self.owning = False
        self._reactor = reactor
        self._clock = clock
        self._database = database
        self._lock = lock
        self._socket = settings.socket
        self._supervisor = supervisor
        self._open: dict[str, UUID] = {}
        """Messages under way, by their Call-IDs."""
        self._last_domain = ""
        self._bucket = TokenBucket(settings.messages_per_second, BURST)
        self._ledger = Ledger(reactor)
        self._sending = Awakened("sending messages", self._send_all)
        hearers = Hearers(self._changed, self._finished, self._lost)
        self.bridge = Bridge(reactor, clock, settings.socket, share, hearers)
        self._ticks = LoopingCall(self._begin_tick)
        self._ticks.clock = reactor
        self._ticking: Deferred[None] | None = None

    def watch(self) -> None:
        """Hear of what is queued by other processes."""
        self._database.listen(messages.QUEUED, lambda _: self._sending.wake(), lambda: None, self._sending.wake)

    async def start(self) -> None:
        """Begin to try for the lock."""
        await self._lock.start()
        self._ticks.start(TICK)

    async def stop(self) -> None:
        """Send nothing more, wait a moment for what is under way, and let go."""
        if self._ticks.running:
            self._ticks.stop()
        if self._ticking:
            await self._ticking
        if self.owning:
            await self._let_go(GRACE)
        await self._lock.stop()

    def _begin_tick(self) -> Deferred[None]:
        self._ticking = ensureDeferred(self._tick())
        return self._ticking.addErrback(lambda failure: self.log.failure("Owning the socket failed", failure))

    async def _tick(self) -> None:
        try:
            held = await message_daemons.hold(self._lock, self._socket)
            if held and not self.owning:
                await self._take_over()
        except Unavailable:
            # Nobody else can have got the lock, or it will be told when the database is back.
            return
        if self.owning and not held:
            self.log.warn("Another process owns {socket} now", event="daemon.lost", socket=self._socket)
            await self._let_go(0.0)
        self._sending.wake()

    async def _take_over(self) -> None:
        await messages.left_behind(self._database, self._socket, "the process that sent it has ended")
        self.log.info("This process sends messages through {socket}", event="daemon.owned", socket=self._socket)
        self.owning = True
        if self._supervisor:
            self._supervisor.start()
        self.bridge.start()

    async def _let_go(self, grace: float) -> None:
        self.owning = False
        forgetting = self._reactor.callLater(grace + GRACE, self._ledger.forget)
        await self._sending.rest()
        deadline = self._reactor.seconds() + grace
        while self.bridge.expecting and self._reactor.seconds() < deadline:
            await deferLater(self._reactor, POLL)
        await self.bridge.stop()
        if self._supervisor:
            await self._supervisor.stop()
        await self._ledger.written()
        if forgetting.active():
            forgetting.cancel()

    async def _send_all(self) -> None:
        while self.owning and self.bridge.connected and self.bridge.busy_with < MOST_UNDER_WAY:
            if delay := self._bucket.delay(self._reactor.seconds()):
                await deferLater(self._reactor, delay)
                continue
            # So that what was put back stands in its place, and nothing is sent that cannot be written down.
            await self._ledger.written()
            claimed = await messages.claim(self._database, self._socket, self._last_domain)
            if claimed is None:
                return
            self._last_domain = claimed.domain
            self._bucket.take(self._reactor.seconds())
            await self._send(claimed)

    async def _send(self, claimed: Claimed) -> None:
        try:
            call_id = await self.bridge.send(claimed.recipient, claimed.text)
        except NotWritten:
            self._ledger.note(partial(messages.release, self._database, claimed))
        except AnswerLost as lost:
            self.log.warn(
                "Nobody knows whether message {id} was sent: {why}",
                event="message.unknown",
                id=str(claimed.id),
                why=str(lost),
            )
            self._end([claimed.id], "unknown", str(lost))
        except (Refused, ValueError) as refused:
            self._end([claimed.id], "not_delivered", str(refused))
        else:
            self.outcomes["sent"] += 1
            self._open[call_id] = claimed.id
            self._ledger.note(partial(messages.taken, self._database, claimed.id, call_id))

    def _finished(self, call_id: str, outcome: Outcome) -> None:
        if (message := self._open.pop(call_id, None)) is not None:
            self._end([message], outcome, "nothing was heard of it" if outcome == "unknown" else None)
            self._sending.wake()

    def _lost(self) -> None:
        under_way = [*self._open.values()]
        self._open.clear()
        if under_way:
            self._end(under_way, "unknown", "the connection to the daemon has ended")

    def _end(self, ended: list[UUID], outcome: Outcome, error: str | None) -> None:
        self.outcomes[outcome] += len(ended)
        self._ledger.note(partial(messages.ended, self._database, ended, outcome, self._clock.now(), error))

    def _changed(self, report: DaemonReport) -> None:
        self._ledger.note(partial(message_daemons.report, self._database, self._socket, report))
        if report.state == "connected":
            self._sending.wake()


def make_queue(
    reactor: Any, clock: Clock, database: Database, lock: Database, settings: Settings, environment: Mapping[str, str]
) -> MessageQueue:
    """Return the queue that the settings describe; a daemon of ours gets `environment`, but for our own settings."""
    daemon = settings.daemon
    supervisor = None
    if daemon.command:
        kept = {name: value for name, value in environment.items() if not name.startswith("FLEXID_")}
        home = settings.data_dir / "linphone-daemon"
        supervisor = Supervisor(reactor, daemon.command, daemon.socket, home, kept)
    return MessageQueue(reactor, clock, database, lock, daemon, random_share, supervisor)
