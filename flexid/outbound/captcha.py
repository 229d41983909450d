"""hCaptcha, which tells people from programs."""

from __future__ import annotations

from typing import Protocol
from urllib.parse import urlencode

import orjson
from attrs import frozen
from twisted.logger import Logger

from flexid.domain.errors import Unavailable
from flexid.domain.unanswered import Unanswered
from flexid.outbound.web import Web

SECONDS = 5.0
"""How long an answer may take as a whole."""
MOST_BYTES = 16_384
LONGEST_RESPONSE = 20_000
OK = 200
OUR_MISTAKES = frozenset(
    {"missing-input-secret", "invalid-input-secret", "sitekey-secret-mismatch", "not-using-dummy-passcode"}
)


class Captcha(Protocol):
    """Knows whether somebody is a person."""

    @property
    def site_key(self) -> str | None:
        """Return what the widget on a page is told; None: nobody is asked."""

    async def is_passed(self, response: str, ip: str) -> bool:
        """Say whether the response of a widget is that of a person.

        :raise Unavailable: nobody can tell.
        """


@frozen
class HCaptcha:
    """Asks the server of hCaptcha, or another one that speaks as it does."""

    log = Logger()

    web: Web
    url: str
    site_key: str
    secret: str

    async def is_passed(self, response: str, ip: str) -> bool:
        """Ask the server; a response is good for one question.

        :raise Unavailable: it gives no answer, a late or unreadable one; or it does not know us.
        """
        if not response or len(response) > LONGEST_RESPONSE:
            return False
        asked = {"secret": self.secret, "sitekey": self.site_key, "response": response, "remoteip": ip}
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        try:
            body = urlencode(asked, errors="replace").encode()
            answer = await self.web.ask("POST", self.url, form, body, seconds=SECONDS, most_bytes=MOST_BYTES)
            if answer.status != OK:
                raise ValueError(f"status {answer.status}")  # noqa: TRY301  # it is logged as the others are
            told = orjson.loads(answer.body)
            passed, faults = told["success"] is True, {str(code) for code in told.get("error-codes") or ()}
        except (Unanswered, ValueError, TypeError, KeyError, AttributeError) as error:
            self.log.warn("The captcha server gives no answer: {error!r}", error=error)
            raise Unavailable from None
        if mistakes := sorted(faults & OUR_MISTAKES):
            self.log.error("The captcha server refuses our settings: {mistakes}", mistakes=", ".join(mistakes))
            raise Unavailable
        return passed


@frozen
class NoCaptcha:
    """Everybody passes."""

    site_key: None = None

    async def is_passed(self, response: str, ip: str) -> bool:
        """Let everybody pass."""
        del response, ip
        return True
