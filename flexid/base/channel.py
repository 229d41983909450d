"""Messages between a process and one that it started, with open files where they belong to a message."""

from __future__ import annotations

import socket
from array import array
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from twisted.internet.interfaces import IReadDescriptor
from twisted.python.failure import Failure
from zope.interface import implementer

LONGEST = 8192
"""Bytes of a message."""
AT_ONCE = 64
"""Messages that are read before the reactor looks at what else there is to do."""

SPACE = socket.CMSG_SPACE(array("i").itemsize)
"""Bytes of one descriptor beside a message."""


def pair() -> tuple[socket.socket, socket.socket]:
    """Return the two ends of a new channel: each message is read whole, or not at all."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


@implementer(IReadDescriptor)
class Channel:
    """One end. `heard` gets each message with its open file, `over` is called when the other end says no more."""

    def __init__(
        self, reactor: Any, end: socket.socket, heard: Callable[[bytes, int | None], None], over: Callable[[], None]
    ) -> None:
        self._reactor = reactor
        self._end = end
        self._heard = heard
        self._over = over
        self._listening = False

    def listen(self) -> None:
        """Read messages from now on."""
        self._listening = True
        self._reactor.addReader(self)

    def say(self, message: bytes, descriptor: int | None = None) -> bool:
        """Send a message, never waiting; return whether there was room for it, and somebody to read it."""
        # send_fds() and recv_fds() of the standard library ignore their flags.
        files = [] if descriptor is None else [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", [descriptor]))]
        try:
            self._end.sendmsg([message], files, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
        except OSError:
            return False
        return True

    def finish(self) -> None:
        """Say no more; the other end may go on."""
        with suppress(OSError):
            self._end.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Neither say nor hear anything from now on."""
        self._hush()
        self._end.close()

    def fileno(self) -> int:
        """Return what the reactor watches."""
        return self._end.fileno()

    def doRead(self) -> None:  # noqa: N802  # Twisted's name
        """Read what has come."""
        for _ in range(AT_ONCE):
            if not self._listening:
                return
            try:
                message, files, _, _ = self._end.recvmsg(LONGEST, SPACE, socket.MSG_DONTWAIT | socket.MSG_CMSG_CLOEXEC)
            except BlockingIOError:
                return
            except OSError:
                message, files = b"", []
            if not message:
                self._hush()
                self._over()
                return
            self._heard(message, array("i", files[0][2])[0] if files else None)

    def connectionLost(self, _: Failure) -> None:  # noqa: N802  # Twisted's name
        """Be told by the reactor that nothing more will come."""
        if self._listening:
            self._hush()
            self._over()

    def logPrefix(self) -> str:  # noqa: N802  # Twisted's name
        """Return what Twisted puts before what is logged meanwhile."""
        return "channel"

    def _hush(self) -> None:
        if self._listening:
            self._listening = False
            self._reactor.removeReader(self)
