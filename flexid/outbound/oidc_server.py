"""OpenID servers, as far as they sign people in: what they say of themselves, and their tokens for a code."""

from __future__ import annotations

import re
from base64 import b64encode
from typing import Any, Protocol
from urllib.parse import quote, urlencode

import orjson
from attrs import field, frozen

from flexid.domain import unanswered
from flexid.domain.oidc import OidcClient
from flexid.domain.oidc_attempt import Attempt
from flexid.domain.openid_provider import Provider
from flexid.domain.unanswered import Unanswered
from flexid.outbound.web import Answer, Web

SECONDS = 5.0
"""How long an answer may take as a whole."""
MOST_BYTES = 65_536
OK, BAD_REQUEST, UNAUTHORIZED = 200, 400, 401
_ERROR = re.compile("[A-Za-z0-9_.-]{1,60}")


class Refused(Exception):  # noqa: N818  # read as a sentence
    """A server gives no tokens; `error` is its word for the reason (RFC 6749, 5.2)."""

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error


@frozen
class Tokens:
    """What a server gives for a code."""

    id_token: str = field(repr=False)
    access_token: str | None = field(repr=False)


class OidcServer(Protocol):
    """Speaks with OpenID servers."""

    async def document(self, url: str) -> Any:
        """Return what a server says of itself under a URL, as JSON.

        :raise Unanswered: there is no answer, or none that can be read.
        """

    async def redeem(self, provider: Provider, client: OidcClient, attempt: Attempt, code: str) -> Tokens:
        """Give a code and get the tokens.

        :raise Unanswered: there is no answer, or none that can be read.
        :raise Refused: the server does not take the code, or does not know us.
        """


@frozen
class HttpOidcServer:
    """Asks over HTTP or HTTPS."""

    web: Web

    async def document(self, url: str) -> Any:
        """Ask a server what it says of itself."""
        answer = await self.web.ask("GET", url, {"Accept": "application/json"}, seconds=SECONDS, most_bytes=MOST_BYTES)
        if answer.status != OK:
            raise Unanswered(unanswered.of_status(answer.status))
        return _json(answer)

    async def redeem(self, provider: Provider, client: OidcClient, attempt: Attempt, code: str) -> Tokens:
        """Redeem a code (OpenID Connect Core 1.0, 3.1.3)."""
        headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": attempt.redirect_uri,
            "code_verifier": attempt.verifier,
        }
        if client.client_secret is None:
            form |= {"client_id": client.client_id}
        elif provider.takes_secret_in_header:
            headers["Authorization"] = _basic(client.client_id, client.client_secret)
        else:
            form |= {"client_id": client.client_id, "client_secret": client.client_secret}
        body = urlencode(form).encode()
        answer = await self.web.ask(
            "POST", provider.token_endpoint, headers, body, seconds=SECONDS, most_bytes=MOST_BYTES
        )
        return _tokens(answer)


def _tokens(answer: Answer) -> Tokens:
    if answer.status not in {OK, BAD_REQUEST, UNAUTHORIZED}:
        raise Unanswered(unanswered.of_status(answer.status))
    told = _json(answer)
    if not isinstance(told, dict):
        raise Unanswered(unanswered.UNREADABLE)
    if answer.status != OK:
        error = told.get("error")
        # Nothing else of it goes into the log: nobody knows what a server repeats there.
        raise Refused(error if isinstance(error, str) and _ERROR.fullmatch(error) else f"status {answer.status}")
    id_token, access_token = told.get("id_token"), told.get("access_token")
    if not isinstance(id_token, str):
        raise Unanswered(unanswered.UNREADABLE)
    return Tokens(id_token, access_token if isinstance(access_token, str) else None)


def _json(answer: Answer) -> Any:
    try:
        return orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        raise Unanswered(unanswered.UNREADABLE) from None


def _basic(name: str, secret: str) -> str:
    """Return name and secret as RFC 6749, 2.3.1, has them: encoded as in a form, before anything else."""
    pair = f"{quote(name, safe='')}:{quote(secret, safe='')}"
    return f"Basic {b64encode(pair.encode()).decode()}"
