"""Whether anybody is there."""

from __future__ import annotations

from typing import Any

from flexid.http import answers
from flexid.http.answers import Answer
from flexid.http.call import Call
from flexid.http.routes import PUBLIC, Routes

routes = Routes("/api/ping", title="Ping")


@routes.get(caller=PUBLIC, hot=True, answers={200: "text/plain"})
async def ping(_: Call[Any]) -> Answer:
    """Answer `pong`."""
    return answers.text("pong")
