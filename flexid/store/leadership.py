"""One process of the cluster that does what must be done once."""

from __future__ import annotations

from flexid.domain.errors import Unavailable
from flexid.store.database import Database
from flexid.store.query import Query

# A lock of the session's goes with the connection. A node that loses its network says no good-bye: the server is to
# notice within 6 seconds (over a UNIX socket these settings do nothing).
HOLD = Query(
    "hold the lock of the timers",
    """
    SELECT CASE
        WHEN EXISTS (
            SELECT FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND objid = 7025882 AND granted
        ) THEN true
        ELSE pg_try_advisory_lock(7025882) AND set_config('tcp_keepalives_idle', '3', false) IS NOT NULL
            AND set_config('tcp_keepalives_interval', '1', false) IS NOT NULL
            AND set_config('tcp_keepalives_count', '3', false) IS NOT NULL
    END AS held
    """,
)


class Leadership:
    """Tries for the lock of the timers on a connection of its own."""

    def __init__(self, database: Database) -> None:
        """`database` has one connection, and nobody else uses it."""
        self._database = database

    async def start(self) -> None:
        """Begin to connect."""
        await self._database.start()

    async def is_ours(self) -> bool:
        """Return whether this process holds the lock now, and take it if it is free."""
        try:
            rows = await self._database.run(HOLD)
        except Unavailable:
            return False
        return bool(rows[0]["held"])

    async def stop(self) -> None:
        """Let go."""
        await self._database.stop()
