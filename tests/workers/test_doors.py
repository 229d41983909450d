"""Connections are accepted by one process, for others to serve."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator

import pytest
import pytest_twisted
from attrs import define, field
from support.reactor import asynchronous, reactor, until

from flexid.http.ports import CannotServe
from flexid.workers.doors import Doors


@define
class Hall:
    """Takes connections while it has room."""

    room: int = 1000
    taken: list[tuple[int, int]] = field(factory=list)
    doors: Doors = field(init=False)

    def __attrs_post_init__(self) -> None:
        endpoints = (("http", "tcp:0:interface=127.0.0.1"), ("https", "tcp:0:interface=127.0.0.1"))
        self.doors = Doors(reactor, endpoints, self.take)

    def take(self, place: int, connection: socket.socket) -> bool:
        if len(self.taken) >= self.room:
            return False
        self.taken.append((place, connection.getpeername()[1]))
        return True

    def come(self, place: int) -> socket.socket:
        """Return a client at one of the doors."""
        port = int(self.doors.addresses("localhost")[place].rpartition(":")[2])
        return socket.create_connection(("127.0.0.1", port))


@pytest_twisted.async_yield_fixture
async def hall() -> AsyncIterator[Hall]:
    hall = Hall()
    await hall.doors.build()
    yield hall
    await hall.doors.close()


@asynchronous
async def test_who_comes_is_handed_over_with_the_door(hall: Hall) -> None:
    hall.doors.open()
    with hall.come(0) as first, hall.come(1) as second:
        await until(lambda: len(hall.taken) == 2)
        assert sorted(hall.taken) == [(0, first.getsockname()[1]), (1, second.getsockname()[1])]
    assert [address.partition(":")[0] for address in hall.doors.addresses("localhost")] == ["http", "https"]


@asynchronous
async def test_nobody_is_let_in_before_the_doors_are_open(hall: Hall) -> None:
    with hall.come(0):
        assert hall.taken == []
        hall.doors.open()
        await until(lambda: len(hall.taken) == 1)


@asynchronous
async def test_who_finds_no_room_waits_for_it(hall: Hall) -> None:
    hall.room = 1
    hall.doors.open()
    with hall.come(0), hall.come(0), hall.come(1):
        await until(lambda: len(hall.taken) == 1)
        hall.room = 2
        await until(lambda: len(hall.taken) == 2)
        hall.room = 3
        await until(lambda: len(hall.taken) == 3)


@asynchronous
async def test_who_stands_at_the_door_is_let_in_before_it_is_locked(hall: Hall) -> None:
    hall.doors.open()
    with hall.come(0), hall.come(1):
        await hall.doors.close()
        assert sorted(place for place, _ in hall.taken) == [0, 1]


@asynchronous
async def test_a_door_that_cannot_be_built_is_named() -> None:
    doors = Doors(reactor, (("http", "systemd:domain=INET:name=absent"),), lambda *_: False)
    with pytest.raises(CannotServe, match="systemd:domain=INET:name=absent"):
        await doors.build()
