"""All processes of the cluster, as the page that shows them needs it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from attrs import frozen

from flexid.domain.conditions import ProcessReport
from flexid.store import processes
from flexid.store.database import Database


@frozen
class Processes:
    """Who is there."""

    database: Database

    async def report(self, process_id: str, host: str, pid: int, started_at: datetime, said: dict[str, Any]) -> None:
        """Let a process say how it is."""
        await processes.report(self.database, process_id, host, pid, started_at, said)

    async def leave(self, process_id: str) -> None:
        """Let a process go."""
        await processes.leave(self.database, process_id)

    async def every(self) -> list[ProcessReport]:
        """Return what all said that are there."""
        return await processes.every(self.database)

    async def server(self) -> dict[str, Any]:
        """Return how the database server is (`flexid.store.processes.server`)."""
        return await processes.server(self.database)
