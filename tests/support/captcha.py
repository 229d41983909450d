"""A server that says who is a person, as hCaptcha's does."""

from __future__ import annotations

import json
from typing import Any

from attrs import define, field
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request, Site

SITE_KEY, SECRET = "10000000-ffff-ffff-ffff-000000000001", "0x-the-secret-of-the-site"
PERSON = "the-response-of-a-person"


@define
class CaptchaServer(Resource):
    """Takes each response of a person once; tests change what it answers."""

    isLeaf = True

    status: int = 200
    body: bytes | None = None
    silent: bool = False
    asked: list[dict[str, str]] = field(factory=list)
    left: Deferred[None] = field(factory=Deferred)
    """Fires when somebody has hung up on a silent server."""
    _port: Any = None

    def __attrs_post_init__(self) -> None:
        super().__init__()

    def start(self) -> None:
        listen: Any = reactor.listenTCP
        self._port = listen(0, Site(self), interface="127.0.0.1")

    async def stop(self) -> None:
        await self._port.stopListening()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port.getHost().port}/siteverify"

    @property
    def settings(self) -> dict[str, str]:
        return {"site_key": SITE_KEY, "secret": SECRET, "url": self.url}

    def render_POST(self, request: Request) -> bytes | int:
        arguments: dict[bytes, list[bytes]] = request.args or {}
        given = {name.decode(): values[0].decode() for name, values in arguments.items()}
        self.asked.append(given)
        if self.silent:
            request.notifyFinish().addErrback(lambda _: self.left.callback(None))
            return NOT_DONE_YET
        request.setResponseCode(self.status)
        return self._answer(given) if self.body is None else self.body

    def _answer(self, given: dict[str, str]) -> bytes:
        if given.get("secret") != SECRET:
            return json.dumps({"success": False, "error-codes": ["invalid-input-secret"]}).encode()
        used = [each["response"] for each in self.asked[:-1]]
        passed = given.get("response", "").startswith(PERSON) and given["response"] not in used
        return json.dumps({"success": passed, "hostname": "tenant.localhost"}).encode()
