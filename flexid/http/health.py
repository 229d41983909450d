"""Whether this process is alive, and whether it can serve; on any host, without a key."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from flexid.http import answers
from flexid.http.answers import Answer
from flexid.http.call import Call
from flexid.http.routes import PUBLIC, Routes

Ready = Callable[[], Awaitable[dict[str, str]]]


def routes(ready: Ready, away: Callable[[], dict[str, str]]) -> Routes:
    """Return the routes; `ready` names what keeps us from serving, `away` what we can do without."""
    health = Routes("/health", title="Health")

    @health.get("/live", caller=PUBLIC, needs_space=False)
    async def live(_: Call[Any]) -> dict[str, str]:
        """Say that the process answers."""
        return {"status": "live"}

    @health.get("/ready", caller=PUBLIC, needs_space=False)
    async def is_ready(_: Call[Any]) -> Answer:
        """Say whether the database is there and migrated: 200, or 503 with what is not well.

        What else is away (Redis, the SIP daemon, a mail server …) is named under `away`, and is no reason for a 503.
        """
        problems = await ready()
        if not problems:
            missing = away()
            return answers.json({"status": "ready", "away": missing} if missing else {"status": "ready"})
        answer = answers.json({"status": "not ready", "problems": problems}, 503)
        return Answer(answer.body, answer.content_type, 503, {"Retry-After": "1"})

    return health
