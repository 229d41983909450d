"""What of a process can be seen from outside, started and stopped together."""

from __future__ import annotations

import os
from typing import Any

from attrs import define, field

from flexid.base.settings import Settings
from flexid.seeing import families
from flexid.seeing.families import Family, Process
from flexid.seeing.gathering import Neighbours
from flexid.seeing.reporting import Reporting


@define
class Seeing:
    """The reports of this process, and its metrics where somebody wants them."""

    reactor: Any
    settings: Settings
    process: Process
    number: int
    of: int
    metrics: Any = field(default=None, init=False)
    _reporting: Reporting = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._reporting = Reporting(self.reactor, self.process, self.number, self.of)

    async def start(self) -> None:
        """Begin.

        :raise CannotServe: the metrics cannot be served where they should be.
        """
        if self.settings.listen.metrics:
            # A library of some size, for those who want it only.
            from flexid.seeing.listener import MetricsListener, of_process  # noqa: PLC0415

            def own() -> list[Family]:
                return [*families.of(self.process), *of_process()]

            node = os.getppid() if self.of > 1 else os.getpid()
            neighbours = Neighbours(self.reactor, node, self.number, self.of, own)
            lengths = self.process.services.queue_lengths
            self.metrics = MetricsListener(self.reactor, self.settings.listen.metrics, neighbours, lengths)
            await self.metrics.open()
        await self._reporting.start()

    async def stop(self) -> None:
        """End."""
        if self.metrics:
            await self.metrics.close()
        await self._reporting.stop()
