"""The connection to a daemon that comes and goes, on a real socket."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_twisted
from attrs import define, field
from support.fake_daemon import FakeDaemon, ended, error, received
from support.reactor import asynchronous, reactor, until

from flexid.base.clock import Clock
from flexid.daemon_bridge import bridge as real
from flexid.daemon_bridge import polling, protocol
from flexid.daemon_bridge.answers import Refused
from flexid.daemon_bridge.bridge import Bridge, Hearers
from flexid.daemon_bridge.protocol import AnswerLost, NotWritten
from flexid.domain.message import DaemonReport
from flexid.domain.sip_address import SipAddress

BOB = SipAddress("bob", "sip.example.org")


@define
class Heard:
    """What a bridge has told."""

    reports: list[DaemonReport] = field(factory=list)
    ends: list[tuple[str, str]] = field(factory=list)
    losses: int = 0

    def hearers(self) -> Hearers:
        return Hearers(self.reports.append, lambda call_id, end: self.ends.append((call_id, end)), self._lost)

    def _lost(self) -> None:
        self.losses += 1

    @property
    def states(self) -> list[str]:
        return [report.state for report in self.reports]


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest_twisted.async_yield_fixture
async def bridge(daemon: FakeDaemon, heard: Heard) -> AsyncIterator[Bridge]:
    bridge = Bridge(reactor, Clock(), daemon.socket, lambda: 0.5, heard.hearers())
    yield bridge
    await bridge.stop()


async def connected(bridge: Bridge) -> None:
    bridge.start()
    await until(lambda: bridge.connected)


@asynchronous
async def test_a_message_is_sent_and_its_end_is_told(daemon: FakeDaemon, bridge: Bridge, heard: Heard) -> None:
    await connected(bridge)
    assert await bridge.send(BOB, "hello") == "call-1"
    assert bridge.expecting == 1
    await until(lambda: bool(heard.ends), 1.0)
    assert heard.ends == [("call-1", "delivered")]
    assert bridge.expecting == 0
    assert daemon.messages == ["bob@sip.example.org hello"]
    assert heard.states == ["connecting", "connected"]


@asynchronous
async def test_a_message_that_is_not_delivered_is_told_and_others_are_not_ours(
    daemon: FakeDaemon, bridge: Bridge, heard: Heard
) -> None:
    daemon.delivers = False
    await connected(bridge)
    await bridge.send(BOB, "hello")
    daemon.events += [
        ended("another", waiting=2),
        received("Id: call-1\nState: LinphoneChatMessageStateDelivered\n", waiting=1),
        ended("call-1", "NotDelivered"),
    ]
    await until(lambda: bool(heard.ends), 1.0)
    assert heard.ends == [("call-1", "not_delivered")]
    assert bridge.received == 1


@asynchronous
async def test_what_was_there_before_is_taken_away_at_once(daemon: FakeDaemon, bridge: Bridge, heard: Heard) -> None:
    daemon.events += [received("x", waiting=waiting) for waiting in (2, 1, 0)]
    await connected(bridge)
    await until(lambda: bridge.received == 3, 1.0)
    assert heard.ends == []


@asynchronous
async def test_a_refusal_comes_with_the_reason_and_the_connection_stays(daemon: FakeDaemon, bridge: Bridge) -> None:
    daemon.answers = lambda _: error("Bad sip uri.")
    await connected(bridge)
    with pytest.raises(Refused, match=r"Bad sip uri\."):
        await bridge.send(BOB, "hello")
    assert bridge.connected
    assert bridge.expecting == 0


@asynchronous
async def test_a_lost_answer_is_told_and_the_next_connection_comes_soon(
    daemon: FakeDaemon, bridge: Bridge, heard: Heard
) -> None:
    def crash(_: str) -> None:
        daemon.drop_client()

    daemon.answers = crash
    await connected(bridge)
    with pytest.raises(AnswerLost):
        await bridge.send(BOB, "hello")
    began = reactor.seconds()
    await until(lambda: bridge.connected and bridge.connections == 2)
    assert 0.08 < reactor.seconds() - began < 0.4
    assert (heard.losses, heard.states) == (1, ["connecting", "connected", "away", "connected"])


@asynchronous
async def test_a_daemon_that_says_nothing_is_left(
    daemon: FakeDaemon, bridge: Bridge, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "SECONDS", 0.2)
    await connected(bridge)
    daemon.mute = True
    with pytest.raises(AnswerLost, match="no answer within"):
        await bridge.send(BOB, "hello")
    await until(lambda: heard.states[-1] == "away" and daemon.clients >= 2)
    assert not bridge.connected
    assert "no answer within" in str(heard.reports[-1].error)
    with pytest.raises(NotWritten):
        await bridge.send(BOB, "hello")
    daemon.mute = False
    await until(lambda: bridge.connected)


@asynchronous
async def test_another_client_is_told_from_a_daemon_that_is_away_and_waited_for(
    daemon: FakeDaemon, bridge: Bridge, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(real, "LONGEST_PAUSE", 0.3)
    other = Bridge(reactor, Clock(), daemon.socket, lambda: 0.0, Heard().hearers())
    await connected(other)
    bridge.start()
    await until(lambda: daemon.refused >= 3)
    assert heard.states == ["connecting", "busy"]
    await other.stop()
    await until(lambda: bridge.connected)
    await daemon.stop()
    await until(lambda: not bridge.connected)
    await until(lambda: "No such file" in str(heard.reports[-1].error) or "refused" in str(heard.reports[-1].error))
    assert heard.states[2:4] == ["connected", "away"]
    assert "busy" not in heard.states[2:]


@asynchronous
async def test_tries_to_connect_grow_rare_and_never_end(
    daemon: FakeDaemon, bridge: Bridge, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(real, "LONGEST_PAUSE", 0.4)
    await daemon.stop()
    pauses: list[float] = []
    rest = bridge._rest

    async def noted(seconds: float) -> None:
        pauses.append(seconds)
        await rest(seconds / 20)

    monkeypatch.setattr(bridge, "_rest", noted)
    bridge.start()
    await until(lambda: len(pauses) >= 5)
    assert pauses[:5] == pytest.approx([0.15, 0.3, 0.3, 0.3, 0.3])
    assert heard.states == ["connecting", "away"]
    daemon.start()
    await until(lambda: bridge.connected)


@asynchronous
async def test_a_message_of_which_nothing_is_heard_is_given_up(
    bridge: Bridge, daemon: FakeDaemon, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling, "LONGEST_EXPECTATION", 0.1)
    daemon.delivers = False
    await connected(bridge)
    await bridge.send(BOB, "hello")
    await until(lambda: bool(heard.ends), 1.0)
    assert heard.ends == [("call-1", "unknown")]


@asynchronous
async def test_stopping_ends_what_is_being_tried(daemon: FakeDaemon, heard: Heard) -> None:
    for prepare in (lambda: None, lambda: setattr(daemon, "mute", True), daemon.stop):
        bridge = Bridge(reactor, Clock(), daemon.socket, lambda: 0.5, heard.hearers())
        bridge.start()
        if (done := prepare()) is not None:
            await done
        await bridge.stop()
        clients = daemon.clients
        assert not bridge.connected
    assert daemon.clients == clients
