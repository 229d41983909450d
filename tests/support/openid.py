"""An OpenID server with one person in front of it: discovery, sign-in, tokens, keys and the end of the session."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode

import jwt
from attrs import define, field
from support.tokens import REALM, jwk, private_key
from twisted.internet import reactor
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request, Site

CLIENT, SECRET = "the portal", "a secret of: the client & nobody else's"
HERE = f"/realms/{REALM}"
Claims = dict[str, Any]


def _unchanged(claims: Claims) -> Claims:
    return claims


@define
class OpenIdServer(Resource):
    """A running server; tests say whom it names, and how it misbehaves."""

    isLeaf = True

    person: Claims = field(factory=lambda: {"sub": "person-1", "email": "alice@mail.example.org"})
    """What it says of whoever signs in."""
    roles: Any = None
    """In the access token, as Keycloak has them."""
    further: Claims = field(factory=dict)
    """What the access token says beside that."""
    key: str = "first"
    published: list[str] = field(factory=lambda: ["first"])
    metadata: Claims = field(factory=dict)
    """Instead of, or beside, what it says of itself."""
    alters: Callable[[Claims], Claims] = _unchanged
    """Changes the claims of the ID token."""
    forges: Callable[[str], str] = _unchanged  # type: ignore[assignment]  # it leaves anything as it is
    """Changes the ID token."""
    secret: str | None = SECRET
    silent: set[str] = field(factory=set)
    """Under which of its paths it does not answer."""
    broken: dict[str, tuple[int, bytes]] = field(factory=dict)
    """What it answers under some of its paths."""
    moves: dict[str, str] = field(factory=dict)
    """Where it sends who asks under some of its paths."""
    asked: list[tuple[str, dict[str, str], dict[str, str]]] = field(factory=list)
    """Paths with queries or forms, and headers."""
    _codes: dict[str, tuple[dict[str, str], Claims]] = field(factory=dict)
    _port: Any = None
    _waiting: list[Request] = field(factory=list)

    def __attrs_post_init__(self) -> None:
        super().__init__()

    def start(self) -> None:
        number = self._port.getHost().port if self._port else 0
        listen: Any = reactor.listenTCP
        self._port = listen(number, Site(self), interface="127.0.0.1")

    async def stop(self) -> None:
        for request in self._waiting:
            if request.channel:
                request.loseConnection()
        await self._port.stopListening()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port.getHost().port}/"

    @property
    def issuer(self) -> str:
        return f"{self.url}realms/{REALM}"

    @property
    def configuration(self) -> dict[str, Any]:
        """What a Space is told to use it."""
        return {"server_url": self.url, "realm": REALM, "client_id": CLIENT, "client_secret": self.secret}

    def paths(self) -> list[str]:
        return [path for path, _, _ in self.asked]

    def sign_in(self, query: dict[str, str], person: Claims | None = None) -> dict[str, str]:
        """Return what goes back to the site that sent a browser here, as soon as the person has signed in."""
        code = f"code-{len(self.asked)}-{len(self._codes)}"
        self._codes[code] = query, person or self.person
        return {"code": code, "state": query["state"], "iss": self.issuer}

    def render(self, request: Request) -> Any:
        assert request.content is not None
        path = request.path.decode().removeprefix(HERE)
        body = request.content.read() if request.method == b"POST" else request.uri.partition(b"?")[2]
        given = dict(parse_qsl(body.decode(), keep_blank_values=True))
        headers = {n.decode().lower(): v[0].decode() for n, v in request.requestHeaders.getAllRawHeaders()}
        self.asked.append((path, given, headers))
        if path in self.silent:
            self._waiting.append(request)
            request.notifyFinish().addErrback(lambda _: None)
            return NOT_DONE_YET
        if path in self.moves:
            request.redirect(f"{HERE}{self.moves[path]}".encode())
            return b""
        if path in self.broken:
            status, content = self.broken[path]
            request.setResponseCode(status)
            return content
        if path == "/auth":
            return self._page(request, given)
        if path == "/logout":
            return self._goodbye(request, given)
        told = self._told(path, given, headers)
        request.setResponseCode({"": 200, "invalid_client": 401, "not_found": 404}.get(told.get("error", ""), 400))
        request.setHeader("Content-Type", "application/json")
        return json.dumps(told).encode()

    def _told(self, path: str, given: dict[str, str], headers: dict[str, str]) -> Claims:
        if path == "/.well-known/openid-configuration":
            return self._document()
        if path == "/keys":
            return {"keys": [jwk(name) for name in self.published]}
        return self._tokens(given, headers) if path == "/token" else {"error": "not_found"}

    def _document(self) -> Claims:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/auth",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "end_session_endpoint": f"{self.issuer}/logout",
            "token_endpoint_auth_methods_supported": ["private_key_jwt", "client_secret_basic", "client_secret_post"],
            "authorization_response_iss_parameter_supported": True,
            **self.metadata,
        }

    def _page(self, request: Request, query: dict[str, str]) -> bytes:
        """Ask the person, on a page of its own."""
        if request.method == b"GET":
            fields = "".join(f'<input type="hidden" name="{n}" value="{v}">' for n, v in query.items())
            return f'<!doctype html><title>Twin</title><form method="post">{fields}<button>Yes, me</button>'.encode()
        request.redirect(f"{query['redirect_uri']}?{urlencode(self.sign_in(query))}".encode())
        return b""

    def _goodbye(self, request: Request, query: dict[str, str]) -> bytes:
        request.redirect(query["post_logout_redirect_uri"].encode())
        return b""

    def _tokens(self, form: dict[str, str], headers: dict[str, str]) -> Claims:
        """Give tokens for a code as RFC 6749, RFC 7636 and OpenID Connect Core have it."""
        if not self._is_client(form, headers):
            return {"error": "invalid_client", "error_description": SECRET}
        begun, person = self._codes.pop(form.get("code", ""), (None, {}))
        if begun is None or form.get("grant_type") != "authorization_code":
            return {"error": "invalid_grant"}
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if begun["code_challenge_method"] != "S256" or begun["code_challenge"] != challenge:
            return {"error": "invalid_grant"}
        if begun["redirect_uri"] != form.get("redirect_uri"):
            return {"error": "invalid_grant"}
        mine = {"sub": person["sub"], "typ": "Bearer", "azp": CLIENT, "aud": "account"}
        access_token = self._signed({**mine, **self._realm_access(), **self.further})
        half = hashlib.sha256(access_token.encode()).digest()[:16]
        at_hash = base64.urlsafe_b64encode(half).rstrip(b"=").decode()
        claims = {"aud": CLIENT, "azp": CLIENT, "nonce": begun["nonce"], "at_hash": at_hash}
        id_token = self.forges(self._signed({**claims, **person}, self.alters))
        return {"access_token": access_token, "token_type": "Bearer", "expires_in": 60, "id_token": id_token}

    def _signed(self, claims: Claims, alters: Callable[[Claims], Claims] = _unchanged) -> str:
        now = int(time.time())
        every = {"iss": self.issuer, "iat": now, "exp": now + 300, **claims}
        told = {name: value for name, value in alters(every).items() if value is not None}
        return jwt.encode(told, private_key(self.key), "RS256", headers={"kid": self.key})

    def _realm_access(self) -> Claims:
        return {} if self.roles is None else {"realm_access": {"roles": self.roles}}

    def _is_client(self, form: dict[str, str], headers: dict[str, str]) -> bool:
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme == "Basic":
            name, _, secret = base64.b64decode(given).decode().partition(":")
            return (unquote(name), unquote(secret)) == (CLIENT, self.secret)
        return (form.get("client_id"), form.get("client_secret")) == (CLIENT, self.secret)
