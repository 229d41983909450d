"""Whether this process is alive, and whether it can serve; on any host, without a key."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from flexid.http import answers
from flexid.http.answers import Answer
from flexid.http.call import Call
from flexid.http.routes import PUBLIC, Routes

Ready = Callable[[], Awaitable[dict[str, str]]]


def routes(ready: Ready) -> Routes:
    """Return the routes; `ready` names what is not well."""
    health = Routes("/health", title="Health")

    @health.get("/live", caller=PUBLIC, needs_space=False)
    async def live(_: Call[Any]) -> dict[str, str]:
        """Say that the process answers."""
        return {"status": "live"}

    @health.get("/ready", caller=PUBLIC, needs_space=False)
    async def is_ready(_: Call[Any]) -> Answer:
        """Say whether the database is there and migrated: 200, or 503 with what is not well."""
        problems = await ready()
        if not problems:
            return answers.json({"status": "ready"})
        answer = answers.json({"status": "not ready", "problems": problems}, 503)
        return Answer(answer.body, answer.content_type, 503, {"Retry-After": "1"})

    return health
