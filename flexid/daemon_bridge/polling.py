"""What the daemon has to tell: it tells nothing by itself, so it is asked again and again."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Literal

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.logger import Logger

from flexid.daemon_bridge.answers import Event, Final, Refused, popped
from flexid.daemon_bridge.commands import pop_event
from flexid.daemon_bridge.protocol import AnswerLost, DaemonProtocol, NotWritten

EXPECTANT, IDLE = 0.1, 5.0
"""Seconds between two rounds, while the end of a message is expected and otherwise: events of others pile up, too."""
LONGEST_EXPECTATION = 600.0
"""After so many seconds nothing will come: the daemon itself gives up after 32, but forgets messages that are refused
for want of a password of the right kind."""

SIP_TIMEOUT = 40.0
"""Seconds within which a message that is not forgotten comes to its end, and some."""

Outcome = Final | Literal["unknown"]


class Polling:
    """Asks for events on one connection, until it ends."""

    log = Logger()

    def __init__(
        self,
        reactor: Any,
        protocol: DaemonProtocol,
        finished: Callable[[str, Outcome], None],
        received: Callable[[], None],
    ) -> None:
        """`finished` gets the Call-ID of a message of ours and its end, `received` is called for one to us."""
        self._reactor = reactor
        self._protocol = protocol
        self._finished = finished
        self._received = received
        self._expected: dict[str, float] = {}
        self._next: Any = None
        self._stopped = False

    def start(self) -> None:
        """Begin at once: what others left behind has to go."""
        self._begin()

    def stop(self) -> None:
        """Ask no more."""
        self._stopped = True
        if self._next and self._next.active():
            self._next.cancel()

    def expect(self, call_id: str) -> None:
        """Ask often until the end of this message is known."""
        self._expected[call_id] = self._reactor.seconds() + LONGEST_EXPECTATION
        if self._next and self._next.active() and self._next.getTime() > self._reactor.seconds() + EXPECTANT:
            self._next.reset(EXPECTANT)

    @property
    def expecting(self) -> int:
        """How many messages have not come to their end."""
        return len(self._expected)

    @property
    def busy_with(self) -> int:
        """How many of them the daemon may still work on."""
        latest = self._reactor.seconds() + LONGEST_EXPECTATION - SIP_TIMEOUT
        return sum(deadline > latest for deadline in self._expected.values())

    def _begin(self) -> Deferred[None]:
        return ensureDeferred(self._round()).addErrback(lambda failure: self.log.failure("Polling failed", failure))

    async def _round(self) -> None:
        try:
            while not self._stopped:
                answer = popped(await self._ask())
                if answer.event:
                    self._handle(answer.event)
                if answer.empty or not answer.waiting:
                    break
        except (AnswerLost, NotWritten):
            return
        except Refused as refused:
            self.log.warn("linphone-daemon tells no events: {reason}", reason=str(refused))
        self._give_up()
        if not self._stopped:
            self._next = self._reactor.callLater(EXPECTANT if self._expected else IDLE, self._begin)

    def _ask(self) -> Deferred[re.Match[str]]:
        return self._protocol.command(pop_event())

    def _handle(self, event: Event) -> None:
        if event.received:
            self._received()
        elif event.call_id and event.final and self._expected.pop(event.call_id, None):
            self._finished(event.call_id, event.final)

    def _give_up(self) -> None:
        now = self._reactor.seconds()
        for call_id in [call_id for call_id, deadline in self._expected.items() if deadline < now]:
            del self._expected[call_id]
            self._finished(call_id, "unknown")
