"""HTTP/2: what a connection may do, how it ends, and where Twisted's own would fail."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import DataReceived
from h2.settings import SettingCodes
from support.http2 import Http2Client
from twisted.internet.task import Clock
from twisted.logger import LogEvent, LogLevel, globalLogPublisher
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from flexid.http.http2 import MAX_HEADER_BYTES, MAX_STREAM_ID, MAX_STREAMS, RESETS_AT_ONCE
from flexid.http.request import FlexidRequest, FlexidSite

IDLE = 60
MAX_BODY = 100_000


class Slow(Resource):
    """Answers when the test says so, with what it was sent."""

    isLeaf = True

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Twisted's
        self.waiting: list[FlexidRequest] = []
        self.answer = b"done"

    def render(self, request: FlexidRequest) -> int:
        self.waiting.append(request)
        return NOT_DONE_YET

    def finish(self) -> None:
        request: Any = self.waiting.pop(0)
        request.write(self.answer)
        request.finish()


@pytest.fixture
def slow() -> Slow:
    return Slow()


@pytest.fixture
def client(slow: Slow) -> Iterator[Http2Client]:
    clock = Clock()
    client = Http2Client(FlexidSite(slow, clock, max_body_size=MAX_BODY, idle_seconds=IDLE), clock)
    client.turn()
    assert client.is_settled()
    yield client
    client.lose()
    pending = [call for call in clock.getDelayedCalls() if "Prioritised" not in str(call.func)]
    assert pending == []


@pytest.fixture(autouse=True)
def complaints() -> Iterator[list[LogEvent]]:
    """Whatever a client does, none of it is a mistake of ours."""
    events: list[LogEvent] = []

    def observe(event: LogEvent) -> None:
        if event["log_level"] >= LogLevel.error:
            events.append(event)

    observer: Any = observe
    globalLogPublisher.addObserver(observer)
    yield events
    globalLogPublisher.removeObserver(observer)
    assert events == []


def test_requests_on_one_connection_are_answered_as_they_are_done(client: Http2Client, slow: Slow) -> None:
    streams = [client.ask(path=f"/{number}") for number in range(3)]
    client.turn()
    assert [request.path for request in slow.waiting] == [b"/0", b"/1", b"/2"]
    slow.waiting.reverse()
    slow.finish()
    client.turn()
    assert [client.is_answered(stream) for stream in streams] == [False, False, True]
    assert (client.status(streams[2]), client.body(streams[2])) == (200, b"done")


def test_a_request_is_secure_and_knows_its_raw_path_and_host(client: Http2Client, slow: Slow) -> None:
    path = '/a/"<urn:uuid:0>"?b=c'
    client.ask(path=path)
    client.turn()
    request: Any = slow.waiting[0]
    assert (request.isSecure(), request.uri, request.header("host")) == (True, path.encode(), "localhost")


def test_a_body_that_is_too_large_is_dropped_and_the_next_request_answered(client: Http2Client, slow: Slow) -> None:
    for headers in ({"content_length": str(3 * MAX_BODY)}, {}):
        stream = _begin(client, **headers)
        for number in range(30):
            client.conn.send_data(stream, b"x" * 10_000, end_stream=number == 29)
            client.turn()
        request = slow.waiting[0]
        assert request.is_too_large
        assert request.body() == b""
        slow.finish()
        client.turn()
        assert client.is_answered(stream)


def test_whoever_goes_on_sending_too_much_is_cut_off_alone(client: Http2Client, slow: Slow) -> None:
    endless = _begin(client)
    other = client.ask()
    for _ in range(12):
        client.conn.send_data(endless, b"x" * 10_000)
        client.turn()
    client.turn(IDLE - 1)
    client.conn.send_data(endless, b"x" * 10_000)
    client.conn.send_data(endless, b"x" * 10_000)
    client.turn()
    assert endless in client.resets()
    slow.finish()
    client.turn()
    assert client.is_answered(other)


def test_a_request_that_is_taken_back_knows_it(client: Http2Client, slow: Slow) -> None:
    stream = client.ask("POST", body=b"whole")
    client.turn()
    client.conn.reset_stream(stream)
    client.turn()
    assert slow.waiting[0].is_gone
    # What was begun runs to its end.
    assert slow.waiting[0].body() == b"whole"
    assert client.server.channel.streams == {}


def test_more_requests_at_once_than_allowed_end_the_connection(client: Http2Client, slow: Slow) -> None:
    # A client that keeps to what we announce cannot do it.
    client.conn.remote_settings[SettingCodes.MAX_CONCURRENT_STREAMS] = 1000
    client.conn.remote_settings.acknowledge()
    for _ in range(MAX_STREAMS):
        client.ask()
    client.turn()
    assert len(slow.waiting) == MAX_STREAMS
    client.ask()
    client.turn()
    assert client.goaways()
    assert client.transport.disconnecting
    assert all(request.is_gone for request in slow.waiting)


def test_requests_that_are_taken_back_at_once_end_the_connection(client: Http2Client, slow: Slow) -> None:
    for _ in range(RESETS_AT_ONCE * 3):
        client.conn.reset_stream(client.ask())
    client.turn()
    assert client.goaways()[0][0] is ErrorCodes.ENHANCE_YOUR_CALM
    assert client.transport.disconnecting
    assert len(slow.waiting) <= RESETS_AT_ONCE + 1


def test_headers_have_a_bound(client: Http2Client, slow: Slow) -> None:
    client.conn.remote_settings[SettingCodes.MAX_HEADER_LIST_SIZE] = 1 << 20
    client.ask(x_large="x" * MAX_HEADER_BYTES)
    client.turn()
    assert slow.waiting == []
    assert client.goaways()[0][0] is ErrorCodes.ENHANCE_YOUR_CALM


def test_a_closed_window_costs_nothing_and_is_opened_again(slow: Slow) -> None:
    clock = Clock()
    client = Http2Client(FlexidSite(slow, clock, max_body_size=MAX_BODY, idle_seconds=IDLE), clock)
    client.conn.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 0})
    stream = client.ask()
    client.turn()
    slow.finish()
    client.turn()
    assert (client.status(stream), client.body(stream)) == (200, b"")
    # Nothing is waiting for the next turn of the reactor.
    calls: Any = clock.getDelayedCalls()
    assert [call.getTime() for call in calls if call.getTime() <= clock.seconds()] == []
    client.conn.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 1000})
    client.turn()
    assert (client.is_answered(stream), client.body(stream)) == (True, b"done")
    client.lose()


def test_a_window_that_shrinks_below_nothing_spoils_no_answer(client: Http2Client, slow: Slow) -> None:
    slow.answer = bytes(itertools.islice(itertools.cycle(range(256)), 200_000))
    client.conn.increment_flow_control_window(1 << 20)
    stream = client.ask()
    client.turn()
    slow.finish()
    client.turn()
    assert 0 < len(client.body(stream)) < len(slow.answer)
    client.conn.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 10})
    client.turn()
    client.conn.increment_flow_control_window(1 << 20, stream)
    client.turn()
    assert client.is_answered(stream)
    assert client.body(stream) == slow.answer


def test_the_end_of_an_answer_needs_no_window(client: Http2Client, slow: Slow) -> None:
    stream = client.ask()
    client.turn()
    request: Any = slow.waiting[0]
    request.write(b"x" * 1000)
    client.turn()
    client.conn.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 1000})
    client.turn()
    request.finish()
    client.turn()
    assert client.is_answered(stream)


def test_an_answer_goes_out_with_its_end(client: Http2Client, slow: Slow) -> None:
    client.ask()
    client.turn()
    slow.finish()
    client.turn()
    assert [event.data for event in client.events if isinstance(event, DataReceived)] == [b"done"]


def test_priorities_are_left_alone(client: Http2Client, slow: Slow) -> None:
    for stream in range(1001, 8001, 2):
        client.conn.prioritize(stream, depends_on=stream - 2)
    asked = client.ask()
    client.turn()
    slow.finish()
    client.turn()
    assert client.is_answered(asked)


def test_a_quiet_connection_ends(client: Http2Client) -> None:
    client.turn(IDLE + 1)
    assert client.goaways() == [(ErrorCodes.NO_ERROR, 0)]
    assert client.transport.disconnecting


def test_a_request_that_takes_long_to_answer_is_waited_for(client: Http2Client, slow: Slow) -> None:
    stream = client.ask()
    client.turn()
    client.turn(10 * IDLE)
    slow.finish()
    client.turn()
    assert client.is_answered(stream)


def test_an_answer_that_nobody_takes_does_not_keep_the_connection(client: Http2Client, slow: Slow) -> None:
    slow.answer = b"x" * 200_000
    client.ask()
    client.turn()
    slow.finish()
    client.turn()
    client.turn(IDLE + 1)
    assert client.transport.disconnecting


def test_a_request_that_never_ends_does_not_keep_the_connection(client: Http2Client) -> None:
    _begin(client)
    client.turn()
    client.turn(IDLE + 1)
    assert client.transport.disconnecting


def test_the_end_is_announced_and_what_was_begun_and_is_under_way_is_answered(client: Http2Client, slow: Slow) -> None:
    begun = client.ask()
    client.turn()
    client.server.channel.announce_end()
    # It has not heard of the end when it sends this one.
    under_way = client.ask()
    client.server.dataReceived(client.conn.data_to_send())
    hearing = _deaf_to_goaway(client)
    slow.finish()
    slow.finish()
    client.turn()
    assert (client.is_answered(begun), client.is_answered(under_way)) == (True, True)
    assert hearing[0] == (ErrorCodes.NO_ERROR, MAX_STREAM_ID)
    assert not client.transport.disconnecting
    client.server.channel.end_if_idle()
    assert client.transport.disconnecting


def test_after_the_last_word_new_requests_are_refused_and_old_ones_answered(client: Http2Client, slow: Slow) -> None:
    goaways = _deaf_to_goaway(client)
    begun = client.ask()
    client.turn()
    client.server.channel.announce_end()
    client.server.channel.end_if_idle()
    late = client.ask()
    client.turn()
    assert goaways[-1] == (ErrorCodes.NO_ERROR, begun)
    assert client.resets() == {late: ErrorCodes.REFUSED_STREAM}
    assert not client.transport.disconnecting
    slow.finish()
    client.turn()
    assert client.is_answered(begun)
    assert client.transport.disconnecting


def test_a_client_that_announces_its_end_gets_its_answers(client: Http2Client, slow: Slow) -> None:
    stream = client.ask()
    client.turn()
    client.server.dataReceived(_goaway_of_a_client())
    slow.finish()
    client.turn()
    assert client.is_answered(stream)
    assert client.transport.disconnecting


def test_what_is_no_http2_ends_the_connection(client: Http2Client) -> None:
    client.server.dataReceived(b"\0" * 100)
    assert client.transport.disconnecting
    client.server.dataReceived(b"more of it")


def _begin(client: Http2Client, **headers: str) -> int:
    stream: int = client.conn.get_next_available_stream_id()
    named = [(name.replace("_", "-"), value) for name, value in headers.items()]
    pseudo = [(":method", "POST"), (":path", "/"), (":scheme", "https"), (":authority", "localhost")]
    client.conn.send_headers(stream, [*pseudo, *named])
    return stream


def _deaf_to_goaway(client: Http2Client) -> list[tuple[ErrorCodes, int]]:
    """Let the client's side go on after GOAWAY, as HTTP/2 has it and h2 has not; return the ends that it hears of."""
    heard: list[tuple[ErrorCodes, int]] = []

    def hear(frame: Any) -> tuple[list[Any], list[Any]]:
        heard.append((ErrorCodes(frame.error_code), frame.last_stream_id))
        return [], []

    table = client.conn._frame_dispatch_table
    (kind,) = (kind for kind in table if kind.__name__ == "GoAwayFrame")
    table[kind] = hear
    return heard


def _goaway_of_a_client() -> bytes:
    conn = H2Connection(H2Configuration(client_side=True))
    conn.initiate_connection()
    conn.data_to_send()
    conn.close_connection()
    sent: bytes = conn.data_to_send()
    return sent
