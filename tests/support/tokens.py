"""An OpenID server: keys, the tokens that they sign, and the page on which they are published."""

from __future__ import annotations

import json
import time
from functools import cache
from typing import Any

import jwt
from attrs import define, field
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request, Site

REALM = "twin"


@cache
def private_key(name: str) -> rsa.RSAPrivateKey:
    """Return a key; always the same one for a name, since making one takes long."""
    del name
    return rsa.generate_private_key(65537, 2048)


def public_pem(name: str) -> str:
    """Return the public key of a name."""
    kind = serialization.PublicFormat.SubjectPublicKeyInfo
    return private_key(name).public_key().public_bytes(serialization.Encoding.PEM, kind).decode()


def jwk(name: str, **more: Any) -> dict[str, Any]:
    """Return the public key of a name as it is published."""
    return {"kid": name, **RSAAlgorithm.to_jwk(private_key(name).public_key(), as_dict=True), **more}


A_DAY = 86_400
"""Tokens are made when tests are collected, and used long afterwards."""


def token(server_url: str, key: str = "first", algorithm: str = "RS256", **claims: Any) -> str:
    """Return a token, good for ten minutes unless the claims say otherwise; a claim of None is left out."""
    all_claims = {"iss": f"{server_url}realms/{REALM}", "exp": time.time() + A_DAY, **claims}
    return jwt.encode(
        {name: value for name, value in all_claims.items() if value is not None},
        private_key(key),
        algorithm,
        headers={"kid": key},
    )


@define
class KeyPage(Resource):
    """Publishes keys under the name of Keycloak; tests change what it answers."""

    isLeaf = True

    keys: list[Any] = field(factory=lambda: [jwk("first")])
    status: int = 200
    body: bytes | None = None
    silent: bool = False
    asked: list[bytes] = field(factory=list)
    left: Deferred[None] = field(factory=Deferred)
    """Fires when somebody has hung up on a silent server."""

    def __attrs_post_init__(self) -> None:
        super().__init__()

    def render_GET(self, request: Request) -> bytes | int:
        self.asked.append(request.path)
        request.setResponseCode(self.status)
        if self.status in {301, 302}:
            request.setHeader("Location", "/elsewhere")
        if self.silent:
            request.write(b"{")
            request.notifyFinish().addErrback(lambda _: self.left.callback(None))
            return NOT_DONE_YET
        return json.dumps({"keys": self.keys}).encode() if self.body is None else self.body


@define
class KeyServer:
    """A running server."""

    page: KeyPage = field(factory=KeyPage)
    _port: Any = None

    def start(self) -> None:
        number = self._port.getHost().port if self._port else 0
        listen: Any = reactor.listenTCP
        self._port = listen(number, Site(self.page), interface="127.0.0.1")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port.getHost().port}/"

    async def stop(self) -> None:
        await self._port.stopListening()
