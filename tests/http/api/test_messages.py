"""SIP messages over the API, with a daemon of our own on the other side."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_twisted
from pytest_twisted import ensureDeferred
from support.application import SUPER, TENANT, Application, at_once
from support.fake_daemon import FakeDaemon, ended, error
from support.reactor import reactor, until

from flexid.base.clock import Clock
from flexid.base.peer_settings import DaemonSettings
from flexid.daemon_bridge import polling
from flexid.domain.errors import Unavailable
from flexid.services import message_queue
from flexid.services import messages as service
from flexid.services.ledger import Ledger
from flexid.services.message_queue import MessageQueue
from flexid.store.database import Database

HELLO = {"to": f"sip:bob@{TENANT}", "body": "hello"}
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@pytest.fixture
def more() -> dict[str, object]:
    """Settings of the daemon that a test wants."""
    return {}


@pytest.fixture
def settings(daemon: FakeDaemon, more: dict[str, object]) -> dict[str, object]:
    return {"daemon": {"socket": daemon.socket, "messages_per_second": 200, **more}}


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody wait at the end of a test."""
    monkeypatch.setattr(message_queue, "GRACE", 0.2)


@pytest_twisted.async_yield_fixture
async def queue(app: Application, daemon: FakeDaemon, more: dict[str, object]) -> AsyncIterator[MessageQueue]:
    """A process that sends."""
    queue = make_queue(app, daemon, **more)
    await queue.start()
    await until(lambda: queue.bridge.connected)
    yield queue
    await queue.stop()


def make_queue(app: Application, daemon: FakeDaemon, **more: Any) -> MessageQueue:
    settings = DaemonSettings(socket=daemon.socket, **{"messages_per_second": 200, **more})
    queue = MessageQueue(reactor, Clock(), app.database, Database(reactor, app.dsn, 1), settings, lambda: 0.5)
    queue.watch()
    return queue


def rows(app: Application) -> list[dict[str, Any]]:
    return app.sql("SELECT * FROM messages ORDER BY number")


async def state_of(app: Application, message: str, state: str) -> dict[str, Any]:
    """Wait until a message is in a state, and return what is told of it."""
    deadline = reactor.seconds() + 5
    while (found := (await app.admin.get(f"/api/messages/{message}")).json).get("state") != state:
        assert reactor.seconds() < deadline, found
    told: dict[str, Any] = found
    return told


@pytest.mark.parametrize("to", [f"bob@{TENANT}", f"sip:bob@{TENANT}", f"sips:bob@{TENANT.upper()}"])
@ensureDeferred
async def test_a_message_is_sent_and_answered_with_its_call_id(
    app: Application, daemon: FakeDaemon, queue: MessageQueue, to: str
) -> None:
    reply = await app.admin.post("/api/messages", {"to": to, "body": "h\u00e9llo\r\n\tyou"})
    assert (reply.status, reply.json) == (200, {"id": "call-1"})
    assert daemon.messages == [f"bob@{TENANT} h\u00e9llo\u2028\tyou"]
    told = await state_of(app, "call-1", "delivered")
    assert list(told) == ["id", "to", "state", "error", "created_at", "sent_at", "delivered_at"]
    assert (told["id"], told["to"], told["error"]) == ("call-1", f"bob@{TENANT}", None)
    assert told["created_at"] <= told["sent_at"] <= told["delivered_at"]
    assert queue.outcomes == {"sent": 1, "delivered": 1}
    (row,) = rows(app)
    assert row["body"] == ""
    assert (await app.admin.get(f"/api/messages/{row['id']}")).json == {**told, "id": row["id"]}


@ensureDeferred
async def test_a_message_that_nobody_takes_is_told(app: Application, daemon: FakeDaemon, queue: MessageQueue) -> None:
    daemon.delivers = False
    assert (await app.admin.post("/api/messages", HELLO)).json == {"id": "call-1"}
    assert (await app.admin.get("/api/messages/call-1")).json["state"] == "in_progress"
    daemon.events.append(ended("call-1", "NotDelivered"))
    told = await state_of(app, "call-1", "not_delivered")
    assert (told["delivered_at"], told["error"]) == (None, None)
    assert queue.outcomes["not_delivered"] == 1


@ensureDeferred
async def test_what_is_wrong_is_all_named_and_nothing_is_sent(
    app: Application, daemon: FakeDaemon, queue: MessageQueue
) -> None:
    assert queue.owning
    for body, wrong in (
        ({}, {"to", "body"}),
        ({"to": "+badid", "body": "x"}, {"to"}),
        ({"to": 12, "body": []}, {"to", "body"}),
        ({"to": "tel:+331", "body": "a\0b"}, {"to", "body"}),
        ({"to": "bob@elsewhere.org", "body": "a\x07b"}, {"to", "body"}),
        ({"to": "+badid", "body": "a\x1bb"}, {"to", "body"}),
        ({"to": "bob@elsewhere.org"}, {"to", "body"}),
        ({**HELLO, "body": "x" * 15_001}, {"body"}),
        ({**HELLO, "body": ""}, {"body"}),
        ({**HELLO, "queue": "perhaps", "expires_in": 0}, {"queue", "expires_in"}),
        ({**HELLO, "queue": True, "expires_in": 604_801}, {"expires_in"}),
    ):
        reply = await app.admin.post("/api/messages", body)
        assert (reply.status, set(reply.json["errors"])) == (422, wrong), body
    half = await app.admin.post("/api/messages", b'{"to": "bob@tenant.example.org", "body": "\\ud83d"}')
    assert half.status == 400
    assert (daemon.commands, rows(app)) == ([], [])


@pytest.mark.parametrize("more", [{"newlines": "refuse", "longest_message": 10, "allowed_domains": ("partner.org",)}])
@ensureDeferred
async def test_the_settings_narrow_texts_and_widen_domains(
    app: Application, daemon: FakeDaemon, queue: MessageQueue
) -> None:
    for body in ("a\nb", "x" * 11):
        reply = await app.admin.post("/api/messages", {**HELLO, "body": body})
        assert (reply.status, set(reply.json["errors"])) == (422, {"body"})
    assert (await app.admin.post("/api/messages", {"to": "carol@Partner.org", "body": "x" * 10})).status == 200
    assert daemon.messages == ["carol@partner.org xxxxxxxxxx"]
    assert queue.outcomes["sent"] == 1


@ensureDeferred
async def test_super_administrators_write_to_any_domain_others_to_those_of_spaces(
    app: Application, queue: MessageQueue
) -> None:
    elsewhere = {"to": "bob@elsewhere.org", "body": "x"}
    assert (await app.admin.post("/api/messages", elsewhere)).status == 422
    assert (await app.admin.post("/api/messages", {"to": f"bob@{SUPER}", "body": "x"})).status == 200
    assert (await app.super_admin.post("/api/messages", elsewhere)).status == 200
    assert queue.outcomes["sent"] == 2


@ensureDeferred
async def test_a_message_is_seen_by_its_space_only(app: Application, queue: MessageQueue) -> None:
    sent = (await app.super_admin.post("/api/messages", HELLO)).json["id"]
    assert (await app.super_admin.get(f"/api/messages/{sent}")).status == 200
    assert (await app.admin.get(f"/api/messages/{sent}")).status == 404
    assert (await app.admin.get("/api/messages/unknown")).status == 404
    user = app.user(await app.has_account("alice"))
    assert (await user.post("/api/messages", HELLO)).status == 403
    assert (await user.get(f"/api/messages/{sent}")).status == 403
    assert queue.outcomes["sent"] == 1


@ensureDeferred
async def test_the_daemons_refusal_is_told_in_its_words(
    app: Application, daemon: FakeDaemon, queue: MessageQueue
) -> None:
    daemon.answers = lambda _: error("Bad {sip} uri.")
    reply = await app.admin.post("/api/messages", HELLO)
    assert (reply.status, reply.json["errors"]) == (422, {"to": ["Bad {sip} uri."]})
    assert queue.outcomes == {"not_delivered": 1}
    (row,) = rows(app)
    assert (row["state"], row["error"], row["body"]) == ("not_delivered", "Bad {sip} uri.", "")


@ensureDeferred
async def test_a_message_whose_answer_is_lost_is_neither_repeated_nor_called_sent(
    app: Application, daemon: FakeDaemon, queue: MessageQueue
) -> None:
    daemon.answers = lambda _: daemon.drop_client()
    reply = await app.admin.post("/api/messages", HELLO)
    assert (reply.status, reply.json["state"]) == (202, "unknown")
    assert (await app.admin.get(f"/api/messages/{reply.json['id']}")).json["state"] == "unknown"
    daemon.answers = lambda _: ""
    await until(lambda: queue.bridge.connected)
    assert (await app.admin.post("/api/messages", {**HELLO, "body": "next"})).status == 200
    assert daemon.messages == [f"bob@{TENANT} hello", f"bob@{TENANT} next"]


@ensureDeferred
async def test_what_is_under_way_when_the_connection_ends_is_unknown(
    app: Application, daemon: FakeDaemon, queue: MessageQueue
) -> None:
    daemon.delivers = False
    assert (await app.admin.post("/api/messages", HELLO)).status == 200
    daemon.drop_client()
    told = await state_of(app, "call-1", "unknown")
    assert "connection" in told["error"]
    assert queue.outcomes == {"sent": 1, "unknown": 1}


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "PATIENCE", 0.2)


@pytest.mark.usefixtures("impatient")
@ensureDeferred
async def test_without_the_daemon_nothing_is_kept_but_what_may_wait(
    app: Application, daemon: FakeDaemon, queue: MessageQueue
) -> None:
    await daemon.stop()
    reply = await app.admin.post("/api/messages", HELLO, accept_language="fr")
    assert (reply.status, reply.headers["Retry-After"], rows(app)) == (503, "5", [])
    assert reply.json == {"message": "Le démon SIP ne répond pas"}
    waiting = await app.admin.post("/api/messages", {**HELLO, "queue": True})
    assert (waiting.status, waiting.json["state"]) == (202, "queued")
    assert UUID.fullmatch(waiting.json["id"])
    began = reactor.seconds()
    assert (await app.admin.post("/api/messages", HELLO)).status == 503
    assert reactor.seconds() - began < 0.2, "a daemon that is known to be gone is not waited for"
    daemon.start()
    told = await state_of(app, waiting.json["id"], "delivered")
    assert told["id"] == waiting.json["id"]
    assert len(daemon.messages) == 1
    assert queue.outcomes["sent"] == 1


@pytest.mark.usefixtures("impatient")
@ensureDeferred
async def test_another_client_of_the_daemon_is_named(app: Application, daemon: FakeDaemon) -> None:
    other = make_queue(app, daemon)
    other.bridge.start()
    await until(lambda: other.bridge.connected)
    queue = make_queue(app, daemon)
    await queue.start()
    await until(lambda: queue.bridge.report.state == "busy")
    reply = await app.admin.post("/api/messages", HELLO)
    assert (reply.status, reply.json["message"]) == (503, "Another program is connected to the SIP daemon")
    report = await app.services.messages.daemon()
    assert report
    assert (report.state, report.error) == ("busy", "another client is connected")
    await other.bridge.stop()
    await until(lambda: queue.bridge.connected)
    assert (await app.admin.post("/api/messages", HELLO)).status == 200
    await queue.stop()


@pytest.mark.usefixtures("impatient")
@ensureDeferred
async def test_where_no_process_sends_nothing_is_kept(app: Application) -> None:
    reply = await app.admin.post("/api/messages", HELLO)
    assert (reply.status, reply.json["message"]) == (503, "No process is connected to the SIP daemon")
    assert rows(app) == []


@pytest.mark.parametrize("more", [{"longest_queue": 3}])
@ensureDeferred
async def test_so_many_messages_of_a_space_wait_at_most(app: Application, daemon: FakeDaemon) -> None:
    app.sql(
        "INSERT INTO message_daemons (socket, state, since) VALUES (%s, 'away', now() - interval '1 hour')",
        daemon.socket,
    )
    waiting = {**HELLO, "queue": True}
    assert [(await app.admin.post("/api/messages", waiting)).status for _ in range(4)] == [202, 202, 202, 503]
    assert (await app.admin.post("/api/messages", waiting)).json["message"] == "Too many messages wait to be sent"
    assert (await app.super_admin.post("/api/messages", waiting)).status == 202


@ensureDeferred
async def test_spaces_take_turns_and_each_keeps_its_order(app: Application, daemon: FakeDaemon) -> None:
    async def put(domain: str, text: str) -> None:
        app.sql(
            "INSERT INTO messages (domain, recipient, body, expires_at) VALUES (%s, %s, %s, now() + interval '1 day')",
            *(domain, f"bob@{domain}", text),
        )

    for number in range(4):
        await put(TENANT, f"{number}")
    for number in range(2):
        await put(SUPER, f"{number}")
    queue = make_queue(app, daemon)
    await queue.start()
    await until(lambda: len(daemon.messages) == 6)
    await queue.stop()
    turns = [message.partition("@")[2] for message in daemon.messages]
    assert turns == [f"{domain} {n}" for n in range(2) for domain in (SUPER, TENANT)] + [
        f"{TENANT} {n}" for n in (2, 3)
    ]


@ensureDeferred
async def test_two_who_would_send_send_each_message_once_in_order(app: Application, daemon: FakeDaemon) -> None:
    queues = [make_queue(app, daemon) for _ in range(2)]
    for queue in queues:
        await queue.start()
    await until(lambda: any(queue.bridge.connected for queue in queues))

    async def client(name: int) -> list[int]:
        said = [{"to": f"user{name}@{TENANT}", "body": f"{number}"} for number in range(5)]
        return [(await app.admin.post("/api/messages", body)).status for body in said]

    statuses = await at_once(*(client(name) for name in range(6)))
    assert statuses == [[200] * 5] * 6
    assert sorted(daemon.messages) == sorted(f"user{name}@{TENANT} {n}" for name in range(6) for n in range(5))
    for name in range(6):
        texts = [message[-1] for message in daemon.messages if message.startswith(f"user{name}@")]
        assert texts == ["0", "1", "2", "3", "4"]
    assert sorted(queue.owning for queue in queues) == [False, True]
    assert daemon.refused == 0
    for queue in queues:
        await queue.stop()


class Speechless(Ledger):
    """Writes nothing."""

    def note(self, write: Callable[[], Awaitable[object]]) -> None:
        pass


class Hindered(Ledger):
    """Finds the database away at the first try."""

    tries = 0

    def note(self, write: Callable[[], Awaitable[object]]) -> None:
        async def later() -> object:
            Hindered.tries += 1
            if Hindered.tries == 1:
                raise Unavailable
            return await write()

        super().note(later)


@ensureDeferred
async def test_the_next_process_takes_over_and_tells_what_the_first_left_behind(
    app: Application, daemon: FakeDaemon, queue: MessageQueue
) -> None:
    daemon.delivers = False
    assert (await app.admin.post("/api/messages", HELLO)).status == 200
    heir = make_queue(app, daemon)
    await heir.start()
    # As a process dies: its lock goes, its connection too, and it writes nothing down.
    queue._ledger = Speechless(reactor)
    await queue._lock.stop()
    await queue.bridge.stop()
    queue._ticks.stop()
    await until(lambda: heir.bridge.connected, 5.0)
    assert (await app.admin.get("/api/messages/call-1")).json["error"] == "the process that sent it has ended"
    daemon.delivers = True
    assert (await app.admin.post("/api/messages", HELLO)).json == {"id": "call-2"}
    queue.owning = False
    await heir.stop()


@ensureDeferred
async def test_a_message_withdrawn_at_the_last_moment_is_sent_or_gone_but_never_both(
    app: Application, daemon: FakeDaemon, queue: MessageQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "PATIENCE", 0.005)
    replies = await at_once(*(app.admin.post("/api/messages", {**HELLO, "body": f"<{n}>"}) for n in range(40)))
    await until(lambda: queue.bridge.expecting == 0 and not queue._ledger._notes)
    sent = {text for text in range(40) if f"bob@{TENANT} <{text}>" in daemon.messages}
    answered = {number for number, reply in enumerate(replies) if reply.status in {200, 202}}
    assert {reply.status for reply in replies} <= {200, 202, 503}
    assert sent == answered
    assert len(rows(app)) == len(sent) == len(daemon.messages)


@ensureDeferred
async def test_what_has_waited_for_too_long_is_not_sent_any_more(app: Application, daemon: FakeDaemon) -> None:
    waiting = {**HELLO, "queue": True, "expires_in": 60}
    app.sql("INSERT INTO message_daemons (socket, state, since) VALUES (%s, 'away', '2020-01-01')", daemon.socket)
    ids = [(await app.admin.post("/api/messages", waiting)).json["id"] for _ in range(2)]
    app.sql("UPDATE messages SET expires_at = now() - interval '1 second' WHERE id = %s", ids[0])
    assert (await app.admin.get(f"/api/messages/{ids[0]}")).json["state"] == "expired"
    queue = make_queue(app, daemon)
    await queue.start()
    await state_of(app, ids[1], "delivered")
    await queue.stop()
    assert len(daemon.messages) == 1
    assert await app.services.housekeeping.clear_messages() == 1
    assert [(row["state"], row["body"]) for row in rows(app)] == [("expired", ""), ("delivered", "")]


@ensureDeferred
async def test_what_came_to_its_end_long_ago_is_forgotten(app: Application) -> None:
    for state, sent, days in (("delivered", 31, 31), ("delivered", 1, 1), ("in_progress", 1, 1), ("queued", 0, 31)):
        app.sql(
            "INSERT INTO messages (domain, recipient, body, state, sent_at, created_at, expires_at) VALUES"
            " (%s, 'b@h.org', 'x', %s, now() - %s * interval '1 day', now() - %s * interval '1 day', 'infinity')",
            *(TENANT, state, sent, days),
        )
    assert await app.services.housekeeping.clear_messages() == 2
    assert sorted(row["state"] for row in rows(app)) == ["delivered", "queued", "unknown"]


@ensureDeferred
async def test_the_pace_is_kept(app: Application, daemon: FakeDaemon, queue: MessageQueue) -> None:
    queue._bucket.per_second = 50.0
    await until(lambda: queue._bucket.delay(reactor.seconds()) == 0)
    began = reactor.seconds()
    await at_once(*(app.admin.post("/api/messages", HELLO) for _ in range(25)))
    assert 0.35 < reactor.seconds() - began < 1.5
    assert len(daemon.messages) == 25


@ensureDeferred
async def test_the_daemon_is_given_no_more_than_it_can_work_on(
    app: Application, daemon: FakeDaemon, queue: MessageQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(message_queue, "MOST_UNDER_WAY", 3)
    daemon.delivers = False
    assert [(await app.admin.post("/api/messages", HELLO)).status for _ in range(3)] == [200] * 3
    monkeypatch.setattr(service, "PATIENCE", 0.1)
    waiting = {**HELLO, "queue": True}
    assert [(await app.admin.post("/api/messages", waiting)).status for _ in range(2)] == [202] * 2
    assert len(daemon.messages) == 3
    daemon.events.append(ended("call-2"))
    await until(lambda: len(daemon.messages) == 4, 1.0)
    # What the daemon has forgotten it does not work on.
    monkeypatch.setattr(polling, "SIP_TIMEOUT", 0.0)
    await until(lambda: len(daemon.messages) == 5, 3.0)
    assert queue.bridge.expecting == 4


@pytest.mark.parametrize("settings", [{}])
@ensureDeferred
async def test_without_a_daemon_in_the_settings_there_is_no_such_route(app: Application) -> None:
    for reply in (
        await app.admin.post("/api/messages", HELLO),
        await app.admin.post("/api/messages", {}),
        await app.admin.get("/api/messages/call-1"),
    ):
        assert (reply.status, reply.json) == (404, {"message": "The route could not be found."})
    assert (await app.nobody.post("/api/messages", HELLO)).status == 401


@ensureDeferred
async def test_results_are_written_when_the_database_is_back(
    app: Application, daemon: FakeDaemon, queue: MessageQueue
) -> None:
    daemon.delivers = False
    assert (await app.admin.post("/api/messages", HELLO)).status == 200
    queue._ledger = Hindered(reactor)
    daemon.events.append(ended("call-1"))
    await state_of(app, "call-1", "delivered")
    assert Hindered.tries == 2
