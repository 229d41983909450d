"""Counters of fixed windows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from flexid.store.query import Query, Runner

HIT = Query(
    "count for a limit",
    """
    INSERT INTO throttle_counters AS c (limit_name, subject, window_start, hits, expires_at)
    SELECT u.limit_name, u.subject, u.window_start, 1, u.expires_at
    FROM unnest(%(names)s::text[], %(subjects)s::text[], %(starts)s::timestamptz[], %(ends)s::timestamptz[])
        AS u (limit_name, subject, window_start, expires_at)
    ORDER BY 1, 2, 3
    ON CONFLICT (limit_name, subject, window_start) DO UPDATE SET hits = c.hits + 1
    RETURNING limit_name, subject, hits
    """,
)
HITS = Query(
    "read the counts of limits",
    """
    SELECT array_agg(coalesce(c.hits, 0) ORDER BY u.position) AS hits
    FROM unnest(%(names)s::text[], %(subjects)s::text[], %(starts)s::timestamptz[]) WITH ORDINALITY
        AS u (limit_name, subject, window_start, position)
    LEFT JOIN throttle_counters c USING (limit_name, subject, window_start)
    """,
)
CLEAR = Query(
    "clear counters of limits",
    """
    DELETE FROM throttle_counters WHERE ctid IN (
        SELECT ctid FROM throttle_counters WHERE expires_at < %(now)s LIMIT 10000
    ) RETURNING limit_name
    """,
)

Windows = Sequence[tuple[str, str, datetime, datetime]]
"""Name of the limit, whom it counts, start and end of the window."""


async def hit(runner: Runner, windows: Windows) -> list[int]:
    """Count one in each window, and return what was counted in it so far, in the order given."""
    names, subjects, starts, ends = (list(column) for column in zip(*windows, strict=True))
    rows = await runner.run(HIT, names=names, subjects=subjects, starts=starts, ends=ends)
    counted = {(row["limit_name"], row["subject"]): row["hits"] for row in rows}
    return [counted[name, subject] for name, subject, _, _ in windows]


async def hits(runner: Runner, windows: Windows) -> list[int]:
    """Return what was counted in each window, in the order given."""
    names, subjects, starts, _ = (list(column) for column in zip(*windows, strict=True))
    rows = await runner.run(HITS, names=names, subjects=subjects, starts=starts)
    return list(rows[0]["hits"])


async def clear(runner: Runner, now: datetime) -> int:
    """Forget windows that are over, at most 10,000 at once; return how many."""
    return len(await runner.run(CLEAR, now=now))
