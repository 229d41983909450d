"""Any provider of SMS that takes them over HTTP."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from urllib.parse import quote, quote_plus

from attrs import field, frozen

from flexid.domain.outbox import Doubtful, Refused, Undelivered
from flexid.domain.sms import ShortMessage
from flexid.outbound.sms_request import SmsServer, refused

SUCCESS = range(200, 300)
WRONG = frozenset({400, 413, 422})
"""What is wrong with this SMS will be wrong with it next time."""
IN_DOUBT = frozenset({408, 500, 502, 504})
"""The answer of somebody who does not know what became of the SMS."""
_WORD = re.compile(r"\{(to|text|sender|reference|secret)\}")


@frozen
class HttpSms:
    """Sends what the operator has written, with the words in braces replaced as that place wants them written."""

    server: SmsServer
    method: str
    url: str
    body: str
    content_type: str
    header: str
    sender: str
    secret: str = field(repr=False)

    async def send(self, message: ShortMessage) -> None:
        """Hand over an SMS.

        :raise Refused: the provider will never take it.
        :raise Doubtful: it may have taken it.
        :raise Undelivered: it did not take it.
        """
        words = {
            "to": message.recipient,
            "text": message.text,
            "sender": self.sender,
            "reference": message.reference,
            "secret": self.secret,
        }
        headers = {}
        body = None
        if self.method != "GET":
            headers["Content-Type"] = self.content_type
            body = _filled(self.body, words, _in_json if "json" in self.content_type else quote_plus).encode()
        if self.header:
            name, _, value = self.header.partition(":")
            headers[name] = _filled(value.strip(), words, _in_header)
        url = _filled(self.url, words, lambda value: quote(value, safe=""))
        status, answer = await self.server.ask(self.method, url, headers, body)
        if status not in SUCCESS:
            # Some repeat what they were sent.
            said = refused(status, answer).replace(message.text, "…").replace(self.secret or "\0", "…")
            raise (Refused if status in WRONG else Doubtful if status in IN_DOUBT else Undelivered)(said)


def _filled(template: str, words: Mapping[str, str], written: Callable[[str], str]) -> str:
    return _WORD.sub(lambda word: written(words[word[1]]), template)


def _in_json(value: str) -> str:
    return json.dumps(value)[1:-1]


def _in_header(value: str) -> str:
    return " ".join(value.split())
