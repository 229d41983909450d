"""Messages between processes, with open files."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest
from attrs import define, field
from support.reactor import asynchronous, reactor, until

from flexid.base.channel import Channel, pair


@define
class Listener:
    end: socket.socket
    heard: list[tuple[bytes, int | None]] = field(factory=list)
    is_over: bool = False
    channel: Channel = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.channel = Channel(reactor, self.end, lambda *message: self.heard.append(message), self._over)
        self.channel.listen()

    def _over(self) -> None:
        self.is_over = True


@pytest.fixture
def listeners() -> Iterator[tuple[Listener, Listener]]:
    one, other = map(Listener, pair())
    yield one, other
    for listener in (one, other):
        listener.channel.close()


@asynchronous
async def test_messages_are_heard_one_by_one_in_both_directions(listeners: tuple[Listener, Listener]) -> None:
    one, other = listeners
    for text in (b"first", b"second"):
        assert one.channel.say(text)
    assert other.channel.say(b"answer")
    await until(lambda: len(other.heard) == 2 and len(one.heard) == 1)
    assert other.heard == [(b"first", None), (b"second", None)]
    assert one.heard == [(b"answer", None)]


@asynchronous
async def test_an_open_file_comes_with_its_message(listeners: tuple[Listener, Listener]) -> None:
    one, other = listeners
    readable, writable = os.pipe()
    one.channel.say(b"before")
    one.channel.say(b"file", readable)
    os.close(readable)
    await until(lambda: len(other.heard) == 2)
    (_, nothing), (message, received) = other.heard
    assert (nothing, message) == (None, b"file")
    assert received is not None
    assert not os.get_inheritable(received)
    os.write(writable, b"here")
    assert os.read(received, 10) == b"here"
    os.close(writable)
    os.close(received)


@asynchronous
async def test_who_finishes_is_heard_to_the_end_and_goes_on_hearing(listeners: tuple[Listener, Listener]) -> None:
    one, other = listeners
    one.channel.say(b"last")
    one.channel.finish()
    other.channel.say(b"and you")
    await until(lambda: other.is_over and len(one.heard) == 1)
    assert other.heard == [(b"last", None)]
    assert not one.is_over


@asynchronous
async def test_the_end_of_a_process_ends_the_channel(listeners: tuple[Listener, Listener]) -> None:
    one, other = listeners
    one.channel.close()
    await until(lambda: other.is_over)
    assert not other.channel.say(b"nobody hears it")


@asynchronous
async def test_who_has_no_room_is_told_and_nobody_waits() -> None:
    one, other = pair()
    channel = Channel(reactor, one, lambda *_: None, lambda: None)
    said = 0
    while channel.say(b"x" * 1000):
        said += 1
        assert said < 10_000
    assert other.recv(1000)
    assert channel.say(b"x")
    channel.close()
    other.close()
