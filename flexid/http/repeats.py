"""Requests with an `Idempotency-Key`: what they do is done once, and answered as it was the first time."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from typing import Any

from twisted.internet.threads import deferToThread

from flexid.base.text import Text
from flexid.domain.errors import Malformed
from flexid.domain.kept_answers import LONGEST_KEY, KeptAnswer, KeyedRequest, is_key
from flexid.http.answers import Answer
from flexid.http.call import Call
from flexid.http.routes import Parameter, Route
from flexid.services.idempotency import HEADER

REPLAYED = "Idempotency-Replayed"
PARAMETER = Parameter(
    HEADER,
    "Any text, unlike all others of yours: the same request with the same key does nothing again within 24 hours, and"
    " is answered as the first one was. With another body it is 422; while the first one runs, 409.",
    place="header",
)
_PIECE = 1 << 20


def key_of(call: Call[Any], route: Route) -> str | None:
    """Return the key under which a request may come again, None if it has none.

    :raise Malformed: it can be none.
    """
    if not route.takes_key:
        return None
    key = call.request.header(HEADER)
    if key is not None and not is_key(key):
        reason = Text("{header} must be 1 to {length} visible ASCII characters", header=HEADER, length=LONGEST_KEY)
        raise Malformed(reason)
    return key


async def answer(call: Call[Any], route: Route, key: str, act: Callable[[], Awaitable[Answer]]) -> Answer:
    """Return what `act` answers, or what it answered the first time."""

    async def first() -> KeptAnswer:
        given = await act()
        return KeptAnswer(given.status, given.content_type, given.headers, given.body)

    body_hash = await deferToThread(_body_hash, call) if route.large else _body_hash(call)
    kept, is_first = await call.services.idempotency.once(_request(call, route, key, body_hash), first)
    headers = kept.headers if is_first else {**kept.headers, REPLAYED: "true"}
    return Answer(kept.body, kept.content_type, kept.status, headers)


def _request(call: Call[Any], route: Route, key: str, body_hash: bytes) -> KeyedRequest:
    # Of somebody who is not signed in, the address and the program are all that is known.
    caller = f"account {call.caller.account_id}" if call.caller else f"{call.origin.ip} {call.origin.user_agent}"
    path = hashlib.sha256(call.request.uri).hexdigest()
    return KeyedRequest(caller, f"{call.space.domain} {route.path} {path}", key, body_hash)


def _body_hash(call: Call[Any]) -> bytes:
    hashed = hashlib.sha256((call.request.header("content-type") or "").encode() + b"\n")
    content: Any = call.request.content
    content.seek(0)
    while piece := content.read(_PIECE):
        hashed.update(piece)
    return hashed.digest()
