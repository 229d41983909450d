"""Who owns the socket of a daemon that sends messages, and how that process finds the daemon."""

from __future__ import annotations

from flexid.domain.message import DaemonReport
from flexid.store.query import Query, Runner

# As the lock of the timers, but one for each socket; a node that loses its network is noticed within 4 seconds.
HOLD = Query(
    "hold the lock of a daemon's socket",
    """
    SELECT CASE
        WHEN EXISTS (
            SELECT FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND classid = 7025883
            AND objid = hashtext(%(socket)s)::oid AND granted
        ) THEN true
        ELSE pg_try_advisory_lock(7025883, hashtext(%(socket)s)) AND set_config('tcp_keepalives_idle', '2', false)
            IS NOT NULL AND set_config('tcp_keepalives_interval', '1', false) IS NOT NULL
            AND set_config('tcp_keepalives_count', '2', false) IS NOT NULL
    END AS held
    """,
)
REPORT = Query(
    "report how a daemon is",
    """
    INSERT INTO message_daemons (socket, state, error, since)
    VALUES (%(socket)s, %(state)s, %(error)s, %(since)s)
    ON CONFLICT (socket) DO UPDATE SET state = excluded.state, error = excluded.error, since = excluded.since
    """,
)
# A process that has died leaves its report, but not the lock.
FIND = Query(
    "find how a daemon is",
    """
    SELECT state, error, since FROM message_daemons WHERE socket = %(socket)s AND EXISTS (
        SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = 7025883 AND granted
        AND objid = hashtext(%(socket)s)::oid AND database = (
            SELECT oid FROM pg_database WHERE datname = current_database()
        )
    )
    """,
)


async def hold(runner: Runner, socket: str) -> bool:
    """Return whether this connection holds the lock of a socket now, and take it if it is free.

    :raise Unavailable: the database is away; who held the lock may have lost it.
    """
    (row,) = await runner.run(HOLD, socket=socket)
    return bool(row["held"])


async def report(runner: Runner, socket: str, found: DaemonReport) -> None:
    """Tell all processes how a daemon is."""
    await runner.run(REPORT, socket=socket, state=found.state, error=found.error, since=found.since)


async def find(runner: Runner, socket: str) -> DaemonReport | None:
    """Return how a daemon is; None if no process looks after it."""
    rows = await runner.run(FIND, socket=socket)
    return DaemonReport(**rows[0]) if rows else None
