"""What came out, as a table and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from attrs import asdict, frozen
from bench.pacing import Latency

DEEP_PAGE_FACTOR = 3.0
P50_MS, P99_MS = 5.0, 25.0
COLD_SECONDS, WARM_SECONDS = 3.0, 1.0
MB_AT_START, MB_AT_END = 100, 160

HEAD = (
    f"{'request':<46}{'a second':>9}{'of R':>7}{'floor':>7}{'':<8}{'p50 ms':>8}{'p99 ms':>8}"
    f"{'CPU ms':>8}{'SQL ms':>8}{'wrk':>6}{'others':>8}"
)
DISTURBED = 0.2
"""Cores that others took; above that a row says little."""


@frozen
class Result:
    """A row, measured."""

    name: str
    per_second: float
    floor: float | None
    failures: int
    p50_ms: float
    p99_ms: float
    flexid_ms: float
    """Processor time that one costs flexid, and PostgreSQL."""
    postgresql_ms: float
    wrk_cores: float
    """How much of a processor made the load, and how much was lost to whatever else runs on the machine."""
    other_cores: float


@frozen
class Report:
    """A run."""

    machine: str
    accounts: int
    seconds: int
    ceiling_before: float
    ceiling_after: float
    results: list[Result]
    deep_page_factor: float | None
    latency_at_half: Latency | None
    ready_cold: float
    ready_warm: float
    mb_at_start: int
    mb_at_end: int
    requests: int
    """That were answered between the two."""

    @property
    def ceiling(self) -> float:
        """R, in requests a second."""
        return (self.ceiling_before + self.ceiling_after) / 2

    def save(self, file: Path) -> None:
        """Write it down as JSON."""
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(asdict(self) | {"ceiling": self.ceiling}, indent=2) + "\n")

    def table(self) -> str:
        """Return it for a reader."""
        both = f"{self.ceiling_before:.0f} before, {self.ceiling_after:.0f} after"
        return "\n".join(
            [
                f"{self.machine}; {self.accounts} accounts, {self.seconds} s each",
                f"R = {self.ceiling:.0f} requests a second ({both})",
                "",
                HEAD,
                *(self._row(result) for result in self.results),
                "",
                *self._others(),
            ]
        )

    def _row(self, result: Result) -> str:
        share = result.per_second / self.ceiling
        floor = f"{result.floor:.2f}" if result.floor else ""
        verdict = "" if result.floor is None else "ok" if share >= result.floor else "below"
        remarks = "  disturbed" if result.other_cores > DISTURBED else ""
        remarks += f"  {result.failures} failed!" if result.failures else ""
        return (
            f"{result.name:<46}{result.per_second:>9.0f}{share:>7.2f}{floor:>7}  {verdict:<6}{result.p50_ms:>8.1f}"
            f"{result.p99_ms:>8.1f}{result.flexid_ms:>8.2f}{result.postgresql_ms:>8.2f}"
            f"{result.wrk_cores:>6.2f}{result.other_cores:>8.2f}{remarks}"
        )

    def _others(self) -> Iterator[str]:
        if self.deep_page_factor is not None:
            yield _line("page 5000, times page 1", self.deep_page_factor, DEEP_PAGE_FACTOR)
        if (latency := self.latency_at_half) is not None:
            offered = f"accounts/me at {latency.offered_per_second:.0f} a second"
            yield _line(f"{offered}, p50 in ms", latency.p50_ms, P50_MS)
            yield _line(f"{offered}, p99 in ms", latency.p99_ms, P99_MS)
        yield _line("seconds to ready, from nothing", self.ready_cold, COLD_SECONDS)
        yield _line("seconds to ready, with data", self.ready_warm, WARM_SECONDS)
        yield _line("MB resident when ready", self.mb_at_start, MB_AT_START)
        yield _line(f"MB resident after {self.requests} requests", self.mb_at_end, MB_AT_END)


def _line(name: str, value: float, most: float) -> str:
    return f"{name:<46}{value:>9.2f}  at most {most:g}: {'ok' if value <= most else 'above'}"
