"""A running flexid beside Debian's Redis: what is changed bites there, and what is wrong there bothers nobody else."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

import psycopg2
import pytest
from attrs import define
from support import redis_server
from support.flexid_process import Caller, Flexid, running, wait_until
from support.redis_server import RedisServer

pytestmark = pytest.mark.real

UUID = "urn:uuid:6ba7b810-9dad-11d1-80b4-00c04fd430c8"
ENOUGH = 200
LONGEST_ANSWER = 4.0
MOMENT = 0.02
"""Seconds by which requests may differ from one time to another on a busy machine."""


@pytest.fixture(scope="module")
def flexid(redis: RedisServer) -> Iterator[Flexid]:
    with running(redis_url=redis.url) as flexid:
        yield flexid


@pytest.fixture(scope="module")
def admin(flexid: Flexid) -> Caller:
    printed = re.search(r"^ *API key: *(\S+)$", flexid.log_tail(), re.MULTILINE)
    assert printed
    return flexid.caller("localhost").with_key(printed[1])


@define
class Phone:
    """A device of an account."""

    redis: RedisServer
    flexid: Flexid
    admin: Caller
    username: str
    path: str

    def registers(self) -> None:
        self.redis.ask("HSET", f"fs:{self.username}@localhost", f'"<{UUID}>"', redis_server.contact(UUID))

    def wait_until_unregistered(self) -> None:
        wait_until(
            lambda: bool(self.redis.ask("EXISTS", f"fs:{self.username}@localhost") == ["0"]), self.flexid.log_tail
        )

    def change(self, change: str) -> None:
        assert self.admin.post(f"{self.path}/{change}", None).status == 200


@pytest.fixture
def phone(request: pytest.FixtureRequest, redis: RedisServer, flexid: Flexid, admin: Caller) -> Phone:
    """The device of an account of each test's own."""
    username = request.node.name.replace("_", "-")[:60]
    made = admin.post("/api/accounts", {"username": username, "password": "the_password", "activated": True})
    return Phone(redis, flexid, admin, username, f"/api/accounts/{made.json['id']}")


def test_a_blocked_account_is_unregistered_in_a_moment(phone: Phone, admin: Caller) -> None:
    phone.registers()
    assert list(admin.get(f"{phone.path}/devices").json) == [UUID]
    phone.change("block")
    began = time.monotonic()
    phone.wait_until_unregistered()
    assert time.monotonic() - began < LONGEST_ANSWER


def test_what_redis_has_missed_reaches_it_when_it_is_back(
    phone: Phone, redis: RedisServer, flexid: Flexid, admin: Caller
) -> None:
    redis.stop()
    phone.change("deactivate")
    assert admin.get(f"{phone.path}/devices").status == 503
    wait_until(lambda: _tried(flexid), flexid.log_tail)
    redis.start()
    phone.registers()
    _at_once(flexid)
    phone.wait_until_unregistered()
    assert admin.get(f"{phone.path}/devices").json == {}


def test_a_frozen_redis_slows_nothing_but_its_own(phone: Phone, redis: RedisServer, admin: Caller) -> None:
    assert admin.get(f"{phone.path}/devices").status == 200
    before = _median(admin, phone.path)
    redis.freeze()
    try:
        with _asking(admin, f"{phone.path}/devices") as answers:
            meanwhile = _median(admin, phone.path)
            began = time.monotonic()
            phone.change("deactivate")
            assert time.monotonic() - began < 1
    finally:
        redis.thaw()
    assert {status for status, _ in answers} == {503}
    assert max(seconds for _, seconds in answers) < LONGEST_ANSWER
    assert meanwhile < before * 1.1 + MOMENT, (before, meanwhile)
    wait_until(lambda: admin.get(f"{phone.path}/devices").status == 200, lambda: "it does not come back")


def _tried(flexid: Flexid) -> bool:
    return bool(_query(flexid, "SELECT 1 FROM outbox WHERE state = 'waiting' AND attempts > 0"))


def _at_once(flexid: Flexid) -> None:
    """Let the next attempt be now, not in half a minute."""
    _query(flexid, "UPDATE outbox SET next_attempt_at = now() WHERE state = 'waiting' RETURNING 1")


def _query(flexid: Flexid, statement: str) -> list[tuple[object, ...]]:
    connection = psycopg2.connect(flexid.dsn())
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())
    finally:
        connection.close()


def _median(caller: Caller, path: str) -> float:
    """Return what a request takes, in seconds."""
    times = []
    for _ in range(ENOUGH):
        began = time.perf_counter()
        assert caller.get(path).status == 200
        times.append(time.perf_counter() - began)
    return median(times)


@contextmanager
def _asking(caller: Caller, path: str) -> Iterator[list[tuple[int, float]]]:
    """Ask for something again and again beside the block; the list has the statuses and the seconds until they came."""
    answers: list[tuple[int, float]] = []
    over = threading.Event()

    def ask() -> None:
        while not over.wait(0.01):
            began = time.monotonic()
            answers.append((caller.get(path).status, time.monotonic() - began))

    asking = [threading.Thread(target=ask) for _ in range(4)]
    for each in asking:
        each.start()
    try:
        yield answers
    finally:
        over.set()
        for each in asking:
            each.join()
