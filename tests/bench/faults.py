"""`python -m bench --faults`: what clients notice while PostgreSQL comes and goes, and while others are unkind."""

from __future__ import annotations

import json
import signal
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from attrs import define, field
from real.unkind_clients import dawdling, hang_up, idling, still_open
from support.flexid_process import Caller, Flexid, wait_until
from support.postgres import Postgres, embedded_binaries
from support.traffic import Outcome, Traffic, traffic

RESTARTS = (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL)
TIMES = 20
FROZEN_SECONDS = 30
HANG_UPS, DAWDLERS, IDLERS = 1_000, 500, 10_000
QUIET_SECONDS = 3
KEPT, SHORT = 8, 2
MB = 1 << 20


@define
class Stage:
    postgres: Postgres
    flexid: Flexid
    admin: Caller
    figures: dict[str, Any] = field(factory=dict)

    @property
    def headers(self) -> dict[str, str]:
        return {"Host": self.admin.authority, **self.admin.headers}

    @contextmanager
    def load(self) -> Iterator[Traffic]:
        """Ask for something that takes a statement."""
        with traffic(self.flexid.port, "/api/accounts/me", self.headers, kept=KEPT, short=SHORT) as load:
            wait_until(lambda: len(load.done) > 100, lambda: "there is no load")
            yield load

    def note(self, name: str, **values: object) -> None:
        """Print figures, and keep them."""
        self.figures[name] = values
        sys.stdout.write(f"{name}: {', '.join(f'{key} {value}' for key, value in values.items())}\n")
        sys.stdout.flush()


def measure(results: Path) -> None:
    """Do it all, print, and write JSON."""
    with ExitStack() as stack:
        postgres = Postgres(embedded_binaries(), durable=True)
        stack.callback(postgres.remove)
        postgres.start()
        flexid = Flexid(database_url=postgres.create_database(), throttling_factor="1000000")
        stack.callback(flexid.remove)
        flexid.start()
        flexid.command("spaces", "create-update", "localhost", "localhost", "--super")
        stage = Stage(postgres, flexid, flexid.create_admin("bench"))
        _restarts(stage)
        _frozen(stage)
        _unkind(stage)
    results.parent.mkdir(parents=True, exist_ok=True)
    results.write_text(json.dumps(stage.figures, indent=2))


def _restarts(stage: Stage) -> None:
    well_after = []
    with stage.load() as load:
        for number in range(TIMES):
            stage.postgres.stop(RESTARTS[number % len(RESTARTS)])
            stage.postgres.start()
            back = time.monotonic()
            wait_until(lambda: any(_is_good(each) for each in load.after(back)), stage.flexid.log_tail)  # noqa: B023
            well_after.append(min(each.ended for each in load.after(back) if _is_good(each)) - back)
    stage.note(
        f"{TIMES} restarts of PostgreSQL, fast, immediate and by kill -9",
        answers=dict(load.statuses),
        slowest_answer=_seconds(max(each.seconds for each in load.done)),
        well_again_after_at_most=_seconds(max(well_after)),
        median=_seconds(statistics.median(well_after)),
    )


def _frozen(stage: Stage) -> None:
    with stage.load() as load:
        stage.postgres.freeze()
        froze = time.monotonic()
        time.sleep(FROZEN_SECONDS)
        stage.postgres.thaw()
        thawed = time.monotonic()
        wait_until(lambda: any(_is_good(each) for each in load.after(thawed)), stage.flexid.log_tail)
    meanwhile = [each for each in load.done if froze < each.ended < thawed]
    well = min(each.ended for each in load.after(thawed) if _is_good(each)) - thawed
    stage.note(
        f"PostgreSQL frozen for {FROZEN_SECONDS} s",
        answers=dict(load.statuses),
        slowest_answer=_seconds(max(each.seconds for each in meanwhile)),
        well_again_after=_seconds(well),
    )


def _unkind(stage: Stage) -> None:
    port = stage.flexid.port
    before = _resident(stage)
    quiet = _p99(stage)
    with stage.load() as load:
        hang_up(port, "/api/accounts/me", stage.headers, HANG_UPS)
    _tell(stage, f"{HANG_UPS} clients that hang up", load.done, quiet, before)
    with dawdling(port, DAWDLERS), stage.load() as load:
        time.sleep(QUIET_SECONDS)
    _tell(stage, f"{DAWDLERS} clients that dawdle", load.done, quiet, before)
    with idling(port, IDLERS, stage.headers) as clients:
        with stage.load() as load:
            time.sleep(QUIET_SECONDS)
        _tell(stage, f"{IDLERS} connections that idle", load.done, quiet, before, still_open=still_open(clients))
    time.sleep(QUIET_SECONDS)
    stage.note("when they have gone", resident=f"{_resident(stage) // MB} MB", p99=_milliseconds(_p99(stage)))


def _tell(stage: Stage, name: str, done: Sequence[Outcome], quiet: float, before: int, **more: object) -> None:
    during = _percentile(done)
    stage.note(
        name,
        failures_of_others=sum(not _is_good(each) for each in done),
        p99=_milliseconds(during),
        p99_without=_milliseconds(quiet),
        resident=f"{before // MB} to {_resident(stage) // MB} MB",
        **more,
    )


def _p99(stage: Stage) -> float:
    with stage.load() as load:
        time.sleep(QUIET_SECONDS)
    return _percentile(load.done)


def _percentile(done: Sequence[Outcome]) -> float:
    return sorted(each.seconds for each in done)[len(done) * 99 // 100]


def _is_good(outcome: Outcome) -> bool:
    return outcome.status == 200


def _resident(stage: Stage) -> int:
    return int(stage.flexid.process().memory_info().rss)


def _seconds(value: float) -> str:
    return f"{value:.2f} s"


def _milliseconds(value: float) -> str:
    return f"{1000 * value:.1f} ms"
