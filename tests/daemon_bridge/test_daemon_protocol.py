"""Commands and answers on one connection, without a daemon."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import define, field
from hypothesis import given
from hypothesis import strategies as st
from support.fake_daemon import NOTHING, VERSION, ended, error, ok, received
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from flexid.daemon_bridge.answers import MOST_BYTES_OF_ANSWER, Event, Popped, Refused, popped
from flexid.daemon_bridge.commands import Command, message, pop_event, version
from flexid.daemon_bridge.protocol import SECONDS, AnswerLost, DaemonProtocol, NotWritten
from flexid.domain.sip_address import SipAddress

BOB = SipAddress("bob", "sip.example.org")


@define
class Wire:
    """A connection, seen from the daemon."""

    clock: Clock = field(factory=Clock)
    transport: StringTransport = field(factory=StringTransport)
    protocol: DaemonProtocol = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.protocol = DaemonProtocol(self.clock)
        self.protocol.makeConnection(self.transport)  # type: ignore[no-untyped-call]  # Twisted's
        self.transport.abortConnection = lambda: None  # type: ignore[method-assign]  # nobody is there

    def ask(self, command: Command) -> list[Any]:
        """Give a command; the list gets its answer, or why there is none."""
        came: list[Any] = []
        asked: Deferred[Any] = self.protocol.command(command)
        asked.addCallbacks(came.append, lambda failure: came.append(failure.value))
        return came

    def says(self, text: str | bytes) -> None:
        self.protocol.dataReceived(text.encode() if isinstance(text, str) else text)

    def read(self) -> str:
        """Return what was written since the last time."""
        written: str = self.transport.value().decode()
        self.transport.clear()
        return written


@pytest.fixture
def wire() -> Wire:
    return Wire()


def test_a_command_is_written_at_once_and_gets_its_answer(wire: Wire) -> None:
    came = wire.ask(message(BOB, 'h\u00e9llo\u2028"you" \\ 😀'))
    assert wire.read() == 'message sip:bob@sip.example.org h\u00e9llo\u2028"you" \\ 😀\n'
    wire.says(ok("iZbxie4hAk"))
    assert [match[1] for match in came] == ["iZbxie4hAk"]


def test_the_next_command_is_written_when_the_answer_has_come(wire: Wire) -> None:
    came = [wire.ask(version()), wire.ask(message(BOB, "one")), wire.ask(pop_event())]
    assert wire.read() == "version\n"
    wire.says(VERSION)
    assert wire.read() == "message sip:bob@sip.example.org one\n"
    assert [len(each) for each in came] == [1, 0, 0]
    wire.says(error("Bad sip uri."))
    assert wire.read() == "pop-event\n"
    wire.says(NOTHING)
    assert [len(each) for each in came] == [1, 1, 1]
    assert isinstance(came[1][0], Refused)
    assert str(came[1][0]) == "Bad sip uri."


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (NOTHING, Popped(None, 0, empty=True)),
        (ended("9-ph9dKAF9", waiting=7), Popped(Event("9-ph9dKAF9", "delivered"), 7)),
        (ended("a", "NotDelivered"), Popped(Event("a", "not_delivered"), 0)),
        (ended("a", "InProgress"), Popped(Event("a"), 0)),
        (ended("a", "DeliveredToUser"), Popped(Event("a"), 0)),
        (received("hello", waiting=2), Popped(Event(received=True), 2)),
        (received(""), Popped(Event(received=True), 0)),
        (
            received('a "b"\n\n\n\nId: x\nState: LinphoneChatMessageStateDelivered\n\n\n\n'),
            Popped(Event(received=True), 0),
        ),
        ("Status: Ok\n\nSize: 3\nEvent-type: registration-state-changed\n\nId: 1\nState: x\n\n\n\n", Popped(None, 3)),
        ("Status: Ok\n\nSize: 0\nEvent-type: call-state-changed\n\nEvent: x\n\n\n", Popped(None, 0)),
    ],
)
def test_what_the_daemon_tells_is_understood_however_it_comes(said: str, told: Popped) -> None:
    wire = Wire()
    whole = wire.ask(pop_event())
    wire.says(said)
    assert [popped(match) for match in whole] == [told]
    by_letters = wire.ask(pop_event())
    for letter in said.encode()[:-1]:
        wire.says(bytes([letter]))
    if said.count("\n\n\n") > 1 or "registration" in said:
        return  # the end of something else looks the same; one read of the daemon's answer has all of it
    assert by_letters == []
    wire.says(said[-1])
    assert [popped(match) for match in by_letters] == [told]


@given(st.binary(max_size=300), st.sampled_from([version(), pop_event(), message(BOB, "x")]))
def test_whatever_comes_is_an_answer_or_refused_or_ends_the_connection_in_time(said: bytes, command: Command) -> None:
    wire = Wire()
    came = wire.ask(command)
    wire.says(said)
    wire.clock.advance(SECONDS)
    assert len(came) == 1
    assert isinstance(came[0], AnswerLost | Refused) or came[0].re is command.answer


@given(st.text(max_size=200), st.integers(0, 9))
def test_nothing_that_somebody_writes_to_us_is_taken_for_the_end_of_a_message_of_ours(text: str, waiting: int) -> None:
    wire = Wire()
    came = wire.ask(pop_event())
    wire.says(received(text, waiting).encode(errors="replace"))
    assert [popped(match) for match in came] == [Popped(Event(received=True), waiting)]


def test_an_answer_that_does_not_come_ends_the_connection(wire: Wire) -> None:
    first, second = wire.ask(message(BOB, "one")), wire.ask(message(BOB, "two"))
    wire.says("Status: Ok\n\nId: ab")
    wire.clock.advance(SECONDS)
    assert isinstance(first[0], AnswerLost)
    assert isinstance(second[0], NotWritten)
    assert "two" not in wire.read()
    wire.says("c\n\n")
    assert isinstance(wire.ask(version())[0], NotWritten)
    assert wire.clock.getDelayedCalls() == []


@pytest.mark.parametrize(
    "said", ["Hello", "Status: Nok\n", ok("a") + ok("b"), "Status: Ok\n\n" + "x" * MOST_BYTES_OF_ANSWER]
)
def test_what_is_no_answer_ends_the_connection(wire: Wire, said: str) -> None:
    came = wire.ask(version())
    wire.says(said)
    wire.clock.advance(SECONDS)
    assert isinstance(came[0], AnswerLost)


def test_a_daemon_that_speaks_without_being_asked_is_left(wire: Wire) -> None:
    gone: list[str] = []
    wire.protocol.gone.addCallback(gone.append)
    wire.says(ok("late"))
    assert gone == ["the daemon spoke without being asked"]


def test_a_connection_that_is_closed_without_a_word_was_turned_away(wire: Wire) -> None:
    first = wire.ask(version())
    wire.protocol.connectionLost(Failure(ConnectionResetError("closed")))
    assert isinstance(first[0], AnswerLost)
    assert wire.protocol.was_turned_away


def test_a_connection_that_ends_later_was_not_turned_away(wire: Wire) -> None:
    wire.ask(version())
    wire.says(VERSION)
    wire.protocol.connectionLost(Failure(ConnectionResetError("closed")))
    assert not wire.protocol.was_turned_away
    slow = Wire()
    slow.ask(version())
    slow.clock.advance(SECONDS)
    assert not slow.protocol.was_turned_away
