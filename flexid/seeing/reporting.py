"""Tells the database every few seconds how this process is, and looks after what is beside flexid."""

from __future__ import annotations

import os
import socket
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from attrs import define, field
from twisted.logger import Logger

from flexid.base.clock import random_token
from flexid.domain.errors import Unavailable
from flexid.seeing.families import Process
from flexid.timers import Repeated, Timers

REPORT_SECONDS = 10.0


@define
class Reporting:
    """The reports of one process; `number` of `of` on its node."""

    log = Logger()

    reactor: Any
    process: Process
    number: int
    of: int
    _id: str = field(factory=lambda: random_token(22), init=False)
    _started_at: datetime = field(init=False)
    _repeated: Repeated = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._started_at = self.process.services.clock.now()
        self._repeated = Repeated(self.reactor, "reporting how this process is", REPORT_SECONDS, self.report)

    async def start(self) -> None:
        """Report for the first time, and from now on."""
        self._repeated.start()
        try:
            await self.report()
        except Unavailable:
            self.log.debug("The database is away: the first report has to wait")

    async def stop(self) -> None:
        """Report no more; what was said is taken back."""
        await self._repeated.stop()
        try:
            await self.process.services.processes.leave(self._id)
        except Unavailable:
            self.log.debug("The database is away: a report stays until it is old")

    async def report(self) -> None:
        """Look around, and report.

        :raise Unavailable: the database is away.
        """
        services = self.process.services
        await services.conditions.look()
        said = self._said()
        await services.processes.report(self._id, socket.gethostname(), os.getpid(), self._started_at, said)

    def _said(self) -> dict[str, Any]:
        database, queue = self.process.services.database, self.process.queue
        timers = [each for each in self.process.timers if isinstance(each, Timers)]
        return {
            "version": version("flexid"),
            "worker": self.number,
            "workers": self.of,
            "memory": _resident(),
            "requests": sum(sum(counts[:-1]) for counts in self.process.site.requests.values()),
            "pool": {"size": database.size, "busy": database.busy, "waiting": database.waiting},
            "listening": database.listening,
            "leading": any(each.leading for each in timers),
            "timers": [told for each in timers for told in _timers(each)],
            "bridge": {"owning": queue.owning, "outcomes": queue.outcomes, "received": queue.bridge.received}
            if queue
            else None,
            "certificate_ends": self.process.certificate_ends(),
        }


def _timers(timers: Timers) -> list[dict[str, Any]]:
    outcomes = timers.outcomes
    return [
        {
            "name": name,
            "ran_at": datetime.fromtimestamp(ran_at, UTC).isoformat(),
            "seconds": outcomes.seconds.get(name, 0.0),
            "runs": outcomes.runs[name],
            "failures": outcomes.failures[name],
            "found": outcomes.cleared[name],
        }
        for name, ran_at in outcomes.ran_at.items()
    ]


def _resident() -> int:
    """Return how many bytes of memory the process has (proc_pid_statm(5))."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
