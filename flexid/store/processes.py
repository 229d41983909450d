"""What the processes of the cluster say of themselves."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flexid.domain.conditions import ProcessReport
from flexid.store.query import Json, Query, Runner

FRESH_SECONDS = 60
"""Who has said nothing for so long is gone."""

REPORT = Query(
    "report how a process is",
    """
    INSERT INTO processes (id, host, pid, report, started_at)
    VALUES (%(id)s, %(host)s, %(pid)s, %(report)s, %(started_at)s)
    ON CONFLICT (id) DO UPDATE SET report = excluded.report, seen_at = now()
    """,
)
LIST = Query(
    "list processes",
    """
    SELECT id, host, pid, started_at, seen_at, report FROM processes
    WHERE seen_at > now() - make_interval(secs => %(seconds)s) ORDER BY host, started_at, id
    """,
)
LEAVE = Query("take the report of a process away", "DELETE FROM processes WHERE id = %(id)s")
CLEAR = Query(
    "clear reports of processes that are gone",
    "DELETE FROM processes WHERE seen_at < now() - interval '1 hour' RETURNING id",
)
SERVER = Query(
    "how the database server is",
    """
    SELECT current_setting('server_version') AS version, pg_postmaster_start_time() AS started_at,
        pg_database_size(current_database()) AS size, current_setting('max_connections')::integer AS most_connections,
        (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS connections,
        pg_is_in_recovery() AS read_only, clock_timestamp() AS now
    """,
)


async def report(
    runner: Runner, process_id: str, host: str, pid: int, started_at: datetime, said: dict[str, Any]
) -> None:
    """Write down what a process says of itself."""
    await runner.run(REPORT, id=process_id, host=host, pid=pid, started_at=started_at, report=Json(said))


async def every(runner: Runner) -> list[ProcessReport]:
    """Return what all processes said that are there."""
    return [ProcessReport(**row) for row in await runner.run(LIST, seconds=FRESH_SECONDS)]


async def leave(runner: Runner, process_id: str) -> None:
    """Take a report away: the process ends."""
    await runner.run(LEAVE, id=process_id)


async def clear(runner: Runner) -> int:
    """Forget who has said nothing for an hour; return how many there were."""
    return len(await runner.run(CLEAR))


async def server(runner: Runner) -> dict[str, Any]:
    """Return `version`, `started_at`, `size` in bytes, `connections` of `most_connections`, `read_only` and `now`."""
    return (await runner.run(SERVER))[0]
