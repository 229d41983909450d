"""Keeps a connection to linphone-daemon, which takes one client at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import frozen
from twisted.internet.defer import CancelledError, Deferred, ensureDeferred, succeed
from twisted.internet.endpoints import UNIXClientEndpoint, connectProtocol
from twisted.internet.error import ConnectError
from twisted.internet.task import deferLater
from twisted.logger import Logger

from flexid.base.clock import Clock
from flexid.daemon_bridge.answers import Refused
from flexid.daemon_bridge.commands import message, version
from flexid.daemon_bridge.polling import Outcome, Polling
from flexid.daemon_bridge.protocol import AnswerLost, DaemonProtocol, NotWritten
from flexid.domain.message import DaemonReport, DaemonState
from flexid.domain.sip_address import SipAddress

CONNECT_SECONDS = 2.0
SHORTEST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
"""Seconds between two tries to connect: the daemon needs some to notice that a client has left."""


@frozen
class Hearers:
    """Who is told what the bridge learns."""

    changed: Callable[[DaemonReport], None]
    """How the daemon is, whenever that changes."""
    finished: Callable[[str, Outcome], None]
    """The Call-ID of a message, and its end."""
    lost: Callable[[], None]
    """The connection has ended: nothing more will be heard of messages under way."""


class Bridge:
    """The connection, and another one whenever it ends."""

    log = Logger()

    def __init__(self, reactor: Any, clock: Clock, path: str, share: Callable[[], float], hearers: Hearers) -> None:
        """`path` is the daemon's socket; `share` returns random numbers from 0 up to 1, which spread the tries."""
        self.report = DaemonReport("connecting", clock.now())
        self.connections = 0
        self.received = 0
        """How many messages others have sent to us."""
        self._reactor = reactor
        self._clock = clock
        self._path = path
        self._share = share
        self._hearers = hearers
        self._protocol: DaemonProtocol | None = None
        self._polling: Polling | None = None
        self._stopped = True
        self._pause: Deferred[None] | None = None
        self._keeping: Deferred[None] = succeed(None)

    @property
    def connected(self) -> bool:
        """Say whether messages can be sent."""
        return self._polling is not None

    @property
    def expecting(self) -> int:
        """How many messages have been sent whose end is not known."""
        return self._polling.expecting if self._polling else 0

    @property
    def busy_with(self) -> int:
        """How many of them the daemon may still work on."""
        return self._polling.busy_with if self._polling else 0

    def start(self) -> None:
        """Begin to connect."""
        self._stopped = False
        self._tell("connecting")
        self._keeping = ensureDeferred(self._keep())
        self._keeping.addErrback(lambda failure: self.log.failure("Keeping the connection failed", failure))

    async def stop(self) -> None:
        """Close, and come back no more."""
        self._stopped = True
        if self._protocol:
            self._protocol.drop("flexid has closed the connection")
        if self._pause:
            self._pause.cancel()
        await self._keeping

    async def send(self, recipient: SipAddress, text: str) -> str:
        """Let the daemon send a message, and return its Call-ID: what becomes of it is told later.

        :raise Refused: the daemon does not send it, for the reason that it gives.
        :raise NotWritten: there is no connection; nothing has happened.
        :raise AnswerLost: nobody knows whether it was sent.
        """
        protocol, polling = self._protocol, self._polling
        if protocol is None or polling is None:
            raise NotWritten("there is no connection")
        call_id: str = (await protocol.command(message(recipient, text)))[1]
        polling.expect(call_id)
        return call_id

    async def _keep(self) -> None:
        pause = SHORTEST_PAUSE
        while not self._stopped:
            if await self._live():
                pause = SHORTEST_PAUSE
                await self._rest(pause)
            else:
                pause = min(2 * pause, LONGEST_PAUSE)
                await self._rest(pause * (1 - self._share() / 2))

    async def _live(self) -> bool:
        """Connect, and return when the connection has ended: whether it was of any use."""
        endpoint = UNIXClientEndpoint(self._reactor, self._path, timeout=CONNECT_SECONDS)
        protocol = DaemonProtocol(self._reactor)
        try:
            await connectProtocol(endpoint, protocol)
        except ConnectError as error:
            self._tell("away", str(error))
            return False
        self._protocol = protocol
        try:
            if self._stopped:
                protocol.drop("stopped")
            release = (await protocol.command(version()))[1]
        except (AnswerLost, NotWritten, Refused) as error:
            protocol.drop(str(error))
            if protocol.was_turned_away:
                self._tell("busy", "another client is connected")
            else:
                self._tell("away", str(error))
            return False
        else:
            await self._serve(protocol, release)
            return True
        finally:
            self._protocol = None

    async def _serve(self, protocol: DaemonProtocol, release: str) -> None:
        polling = Polling(self._reactor, protocol, self._hearers.finished, self._note_received)
        self.connections += 1
        self._polling = polling
        self.log.info(
            "Connected to linphone-daemon {release} at {path}",
            event="daemon.connected",
            release=release,
            path=self._path,
        )
        self._tell("connected")
        polling.start()
        reason = await protocol.gone
        polling.stop()
        self._polling = None
        self._hearers.lost()
        self._tell("away", reason)

    async def _rest(self, seconds: float) -> None:
        if self._stopped:
            return
        self._pause = deferLater(self._reactor, seconds)
        try:
            await self._pause
        except CancelledError:
            pass
        finally:
            self._pause = None

    def _note_received(self) -> None:
        self.received += 1

    def _tell(self, state: DaemonState, error: str | None = None) -> None:
        same = self.report.state == state != "connecting"
        if same and self.report.error == error:
            return
        since = self.report.since if same else self._clock.now()
        self.report = DaemonReport(state, since, error)
        if state == "busy":
            self.log.warn(
                "Another client is connected to linphone-daemon at {path}", event="daemon.held", path=self._path
            )
        elif state == "away":
            self.log.warn(
                "linphone-daemon at {path} is away: {error}", event="daemon.away", path=self._path, error=error
            )
        self._hearers.changed(self.report)
