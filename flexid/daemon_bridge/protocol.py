"""The socket of linphone-daemon: commands and answers, without any policy.

The daemon takes every read for one command, and its answers neither have an end mark nor say to what they belong.
So one command is under way at a time, and a connection on which anything is late or odd is given up: what comes later
could be taken for the answer to another command.
"""

from __future__ import annotations

import re
from collections import deque
from typing import Any

from attrs import field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from flexid.daemon_bridge.answers import Garbled, Refused, complete
from flexid.daemon_bridge.commands import Command

SECONDS = 2.0
"""How long the daemon may take for a command; a few milliseconds are usual."""


class NotWritten(Exception):  # noqa: N818  # read as a sentence
    """The connection ended before the command was written: the daemon knows nothing of it."""


class AnswerLost(Exception):  # noqa: N818  # as above
    """The command was written and nobody knows what came of it."""


@frozen
class _Asked:
    command: Command
    written: bytes
    answered: Deferred[re.Match[str]] = field(factory=Deferred)


class DaemonProtocol(Protocol):
    """One connection; `gone` fires when it ends, with what is known of the reason."""

    transport: Any = None

    def __init__(self, reactor: Any) -> None:
        self.gone: Deferred[str] = Deferred()
        self.has_answered = False
        """Whether the daemon has ever said anything here."""
        self.was_turned_away = False
        """Whether the daemon closed it without a word, as it does with a second client."""
        self._reactor = reactor
        self._asked: deque[_Asked] = deque()
        """The first one is under way."""
        self._received = b""
        self._reason = ""
        self._ended = False
        self._late: Any = None

    def command(self, command: Command) -> Deferred[re.Match[str]]:
        """Give a command, after those that were given before; fires with its answer.

        :raise Refused: the daemon refuses it.
        :raise NotWritten: the connection has ended; it may be given again on another one.
        :raise AnswerLost: the connection has ended meanwhile.
        """
        asked = _Asked(command, command.wire())
        if self._ended:
            asked.answered.errback(NotWritten(self._reason))
            return asked.answered
        self._asked.append(asked)
        if len(self._asked) == 1:
            self._write()
        return asked.answered

    def drop(self, reason: str) -> None:
        """End the connection at once."""
        if not self._ended:
            self._end(reason)
            if self.transport:
                self.transport.abortConnection()

    def dataReceived(self, data: bytes) -> None:  # noqa: N802  # Twisted's name
        """Take what the daemon says."""
        if self._ended:
            return
        self.has_answered = True
        if not self._asked:
            self.drop("the daemon spoke without being asked")
            return
        self._received += data
        try:
            match = complete(self._asked[0].command, self._received)
        except Refused as refused:
            self._next().errback(refused)
        except Garbled as garbled:
            self.drop(str(garbled))
        else:
            if match:
                self._next().callback(match)
        if self._asked and not self._late:
            self._write()

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802  # Twisted's name
        """Tell whoever waits for an answer that there will be none."""
        if not self._ended:
            self.was_turned_away = not self.has_answered
            self._end(reason.getErrorMessage())

    def _write(self) -> None:
        self._late = self._reactor.callLater(SECONDS, self.drop, f"no answer within {SECONDS:g} seconds")
        self.transport.write(self._asked[0].written)

    def _next(self) -> Deferred[re.Match[str]]:
        """Return whom the answer that has come is for, and make room for the next one."""
        self._late.cancel()
        self._late = None
        self._received = b""
        return self._asked.popleft().answered

    def _end(self, reason: str) -> None:
        self._ended = True
        self._reason = reason
        if self._late and self._late.active():
            self._late.cancel()
        asked, self._asked = self._asked, deque()
        for number, each in enumerate(asked):
            each.answered.errback(AnswerLost(reason) if number == 0 else NotWritten(reason))
        self.gone.callback(reason)
