"""Credentials for the operator's TURN server."""

from __future__ import annotations

from typing import Any, TypedDict

from flexid.http.call import Call
from flexid.http.routes import USER, Routes

routes = Routes("/api/accounts/me/services/turn", title="TURN")


class TurnAnswer(TypedDict):
    """What a client signs in to the TURN server with, for `ttl` seconds."""

    username: str
    password: str
    ttl: int
    uris: list[str]


@routes.get(caller=USER)
async def show(call: Call[Any]) -> TurnAnswer:
    """Return fresh credentials for the TURN server; 404 where the operator has none."""
    credentials = call.services.turn.credentials()
    return TurnAnswer(
        username=credentials.username,
        password=credentials.password,
        ttl=credentials.ttl,
        uris=list(credentials.uris),
    )
