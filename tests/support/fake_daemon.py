"""A daemon that behaves on its socket as linphone-daemon does, and otherwise as a test wants."""

from __future__ import annotations

import shutil
import tempfile
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from attrs import define, field
from support.reactor import reactor
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

NOTHING = "Status: Ok\n\nSize: 0\n\n"
VERSION = "Status: Ok\n\nVersion: 5.1.65\n"


def ok(call_id: str) -> str:
    """Return the answer to `message`."""
    return f"Status: Ok\n\nId: {call_id}\n\n"


def error(reason: str) -> str:
    return f"Status: Error\nReason: {reason}\n"


def ended(call_id: str, state: str = "Delivered", waiting: int = 0) -> str:
    """Return an event: a message of ours has reached a state."""
    return (
        f"Status: Ok\n\nSize: {waiting}\nEvent-type: message-state-changed\n\n"
        f"Id: {call_id}\nState: LinphoneChatMessageState{state}\n\n\n\n"
    )


def received(text: str, waiting: int = 0) -> str:
    """Return an event: somebody wrote to us."""
    return (
        f"Status: Ok\n\nSize: {waiting}\nEvent-type: message-received\n\n"
        f'From: sip:m@x.org\nTo: sip:n@x.org\nId: in1\nContent: "{text}"\n\n\n\n'
    )


@define(eq=False)
class FakeDaemon(Factory):
    """Takes one client at a time and one command at a read; messages get the Call-IDs call-1, call-2 …"""

    commands: list[str] = field(factory=list)
    """All but polling and the question for its version."""
    clients: int = 0
    refused: int = 0
    events: deque[str] = field(factory=deque)
    answers: Callable[[str], str | None] = field(default=lambda _: "")
    """What it says to a message: None = nothing, "" = as usual."""
    delivers: bool = True
    mute: bool = False
    home: Path = field(factory=lambda: Path(tempfile.mkdtemp(prefix="flexid-", dir="/tmp")))
    client: _Client | None = None
    _port: Any = None

    @property
    def socket(self) -> str:
        """The path, which is short."""
        return str(self.home / "ld")

    @property
    def messages(self) -> list[str]:
        """What was sent: address and text."""
        return [command.removeprefix("message sip:") for command in self.commands]

    def start(self) -> None:
        """Listen."""
        self._port = reactor.listenUNIX(self.socket, self)

    async def stop(self) -> None:
        """Die: close everything."""
        if self._port:
            port, self._port = self._port, None
            await port.stopListening()
        self.drop_client()

    async def remove(self) -> None:
        await self.stop()
        shutil.rmtree(self.home)

    def drop_client(self) -> None:
        """Close the connection of whoever is there."""
        if self.client and self.client.transport:
            self.client.transport.loseConnection()

    def buildProtocol(self, addr: object) -> Protocol:  # noqa: ARG002  # Twisted's signature
        self.clients += 1
        return _Client(self)

    def answer(self, command: str) -> str | None:
        """Return what it says."""
        if self.mute:
            return None
        if command == "version":
            return VERSION
        if command == "pop-event":
            return self.events.popleft() if self.events else NOTHING
        self.commands.append(command)
        said = self.answers(command)
        if said != "":
            return said
        call_id = f"call-{len(self.commands)}"
        self.events.append(ended(call_id, "InProgress"))
        if self.delivers:
            self.events.append(ended(call_id))
        return ok(call_id)


class _Client(Protocol):
    transport: Any = None

    def __init__(self, daemon: FakeDaemon) -> None:
        self.daemon = daemon

    def connectionMade(self) -> None:
        if self.daemon.client:
            self.daemon.refused += 1
            self.transport.loseConnection()
        else:
            self.daemon.client = self

    def dataReceived(self, data: bytes) -> None:
        line, _, lost = data.decode().partition("\n")
        assert not lost, f"more than one command: {data!r}"
        if (said := self.daemon.answer(line)) is not None:
            self.transport.write(said.encode())

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: ARG002  # Twisted's signature
        if self.daemon.client is self:
            self.daemon.client = None
