"""Answers that come in pieces, over HTTP/2: none is made before there is room for it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator

import pytest
from support.http2 import Http2Client
from twisted.internet.task import Clock
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from flexid.domain.errors import Unavailable
from flexid.http import streaming
from flexid.http.request import FlexidRequest, FlexidSite
from flexid.http.streaming import StreamedAnswer

PIECE = bytes(20_000)
WINDOW = 65_535
"""What a client has room for, unless it says otherwise (RFC 9113, 6.9.2)."""


class Long(Resource):
    """Answers in pieces."""

    isLeaf = True

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Twisted's
        self.made = 0
        self.total = 30
        self.is_closed = False
        self.fails_at = -1

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        try:
            for number in range(self.total):
                if number == self.fails_at:
                    raise Unavailable
                self.made += 1
                yield PIECE
        finally:
            self.is_closed = True

    def render(self, request: FlexidRequest) -> int:
        streaming.send(request, StreamedAnswer(pieces=self.pieces()))
        return NOT_DONE_YET


@pytest.fixture
def long() -> Long:
    return Long()


@pytest.fixture
def client(long: Long) -> Iterator[Http2Client]:
    clock = Clock()
    client = Http2Client(FlexidSite(long, clock, max_body_size=1000), clock)
    client.turn()
    yield client
    client.lose()


def test_no_more_is_made_than_the_client_has_room_for(client: Http2Client, long: Long) -> None:
    stream = client.ask()
    client.turn()
    assert len(client.body(stream)) == WINDOW
    assert WINDOW / len(PIECE) < long.made <= WINDOW / len(PIECE) + 2
    assert not client.is_answered(stream)


def test_it_goes_on_to_its_end_where_there_is_room(client: Http2Client, long: Long) -> None:
    stream = client.ask()
    client.turn()
    while not client.is_answered(stream):
        client.conn.increment_flow_control_window(WINDOW)
        client.conn.increment_flow_control_window(WINDOW, stream)
        client.turn()
    assert len(client.body(stream)) == long.total * len(PIECE)
    assert long.is_closed


def test_a_client_that_takes_its_request_back_ends_it(client: Http2Client, long: Long) -> None:
    stream = client.ask()
    client.turn()
    client.conn.reset_stream(stream)
    client.turn()
    assert long.is_closed
    assert long.made < 10


def test_a_failure_on_the_way_does_not_look_like_the_end(client: Http2Client, long: Long) -> None:
    long.fails_at = 2
    stream = client.ask()
    client.turn()
    assert not client.is_answered(stream)
    assert stream in client.resets()
    assert long.is_closed
