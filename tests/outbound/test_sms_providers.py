"""SMS on their way to providers: what these are told, and what is believed of their answers."""

from __future__ import annotations

import hashlib
import json
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_twisted
from attrs import define, field, frozen
from support.certificates import Authority
from support.reactor import asynchronous, reactor
from twisted.internet.ssl import CertificateOptions
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request, Site

from flexid.base.clock import Clock
from flexid.domain.outbox import Away, Doubtful, Refused, Undelivered
from flexid.domain.sms import ShortMessage
from flexid.outbound.sms_http import HttpSms
from flexid.outbound.sms_ovh import OvhSms
from flexid.outbound.sms_request import SmsServer

SMS = ShortMessage("20261124-1", "+33612320692", 'Your "Bäckerei" validation code is 4711')
TAKEN = b'{"totalCreditsRemoved": 1, "ids": [1], "validReceivers": ["+33612320692"], "invalidReceivers": []}'
AHEAD = 3600


@frozen
class Asked:
    """A request that came."""

    method: str
    url: str
    headers: dict[str, str]
    body: str

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@define
class Provider(Resource):
    """Answers as it is told, and keeps what it was asked."""

    isLeaf = True

    status: int = 200
    answer: bytes = TAKEN
    silent: bool = False
    hangs_up: bool = False
    asked: list[Asked] = field(factory=list)
    _port: Any = None

    def __attrs_post_init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Twisted's

    def render(self, request: Request) -> bytes | int:
        if request.path.endswith(b"/auth/time"):
            return str(round(Clock().seconds()) + AHEAD).encode()
        headers = {
            name.decode().lower(): values[0].decode() for name, values in request.requestHeaders.getAllRawHeaders()
        }
        content: Any = request.content
        self.asked.append(Asked(request.method.decode(), request.uri.decode(), headers, content.read().decode()))
        if self.hangs_up:
            transport: Any = request.transport
            transport.abortConnection()
        if self.silent or self.hangs_up:
            return NOT_DONE_YET
        request.setResponseCode(self.status)
        return self.answer

    def start(self) -> None:
        self._port = reactor.listenTCP(0, Site(self), interface="127.0.0.1")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port.getHost().port}"

    async def stop(self) -> None:
        await self._port.stopListening()


@pytest_twisted.async_yield_fixture
async def provider() -> AsyncIterator[Provider]:
    running = Provider()
    running.start()
    yield running
    await running.stop()


def _ovh(url: str, sender: str = "FLEXID", seconds: float = 5) -> OvhSms:
    return OvhSms(SmsServer(reactor, seconds), Clock(), f"{url}/1.0", "sms-ab12345-1", "AK", "AS", "CK", sender)


def _http(site: str, seconds: float = 5, **changes: Any) -> HttpSms:
    settings = {
        "method": "POST",
        "url": f"{site}/send?ref={{reference}}",
        "body": '{"to": "{to}", "text": "{text}", "from": "{sender}", "other": {"a": 1}}',
        "content_type": "application/json",
        "header": "Authorization: Bearer {secret}",
        "sender": "FLEXID",
        "secret": "s3cret",
        **changes,
    }
    return HttpSms(SmsServer(reactor, seconds), **settings)


async def _error(carrier: OvhSms | HttpSms) -> Undelivered:
    with pytest.raises(Undelivered) as caught:
        await carrier.send(SMS)
    return caught.value


@asynchronous
async def test_ovh_is_told_what_to_send_signed_for_its_own_time(provider: Provider) -> None:
    await _ovh(provider.url).send(SMS)
    (asked,) = provider.asked
    assert (asked.method, asked.url) == ("POST", "/1.0/sms/sms-ab12345-1/jobs")
    assert asked.json == {
        "charset": "UTF-8",
        "class": "phoneDisplay",
        "coding": "7bit",
        "message": SMS.text,
        "noStopClause": True,
        "priority": "high",
        "receivers": ["+33612320692"],
        "validityPeriod": 60,
        "sender": "FLEXID",
    }
    time = asked.headers["x-ovh-timestamp"]
    assert abs(int(time) - Clock().seconds() - AHEAD) < 5
    signed = "+".join(["AS", "CK", "POST", f"{provider.url}/1.0/sms/sms-ab12345-1/jobs", asked.body, time])
    assert asked.headers["x-ovh-signature"] == "$1$" + hashlib.sha1(signed.encode()).hexdigest()  # noqa: S324  # OVH's
    assert (asked.headers["x-ovh-application"], asked.headers["x-ovh-consumer"]) == ("AK", "CK")


@asynchronous
async def test_ovh_sends_from_a_short_number_where_no_sender_is_approved(provider: Provider) -> None:
    await _ovh(provider.url, "").send(SMS)
    assert provider.asked[0].json["senderForResponse"] is True
    assert "sender" not in provider.asked[0].json


@asynchronous
async def test_ovh_is_told_when_a_text_needs_more_than_its_usual_letters(provider: Provider) -> None:
    await _ovh(provider.url).send(ShortMessage("1", "+33612320692", "Your Œuvre creation code is 1"))
    assert provider.asked[0].json["coding"] == "8bit"


@asynchronous
async def test_a_number_that_ovh_cannot_send_to_is_given_up(provider: Provider) -> None:
    provider.answer = b'{"invalidReceivers": ["+33612320692"], "validReceivers": []}'
    assert isinstance(await _error(_ovh(provider.url)), Refused)


@pytest.mark.parametrize(
    ("status", "answer", "kind"),
    [
        (400, b'{"errorCode": "QUERY_TIME_OUT", "message": "Query out of time"}', Undelivered),
        (403, b'{"message": "This credential does not exist"}', Undelivered),
        (503, b"", Undelivered),
        (500, b"", Doubtful),
        (200, b"<html>", Doubtful),
    ],
)
@asynchronous
async def test_what_ovh_has_not_taken_is_tried_again(
    status: int, answer: bytes, kind: type[Undelivered], provider: Provider
) -> None:
    provider.status, provider.answer = status, answer
    assert type(await _error(_ovh(provider.url))) is kind


@asynchronous
async def test_another_provider_gets_what_the_operator_has_written(provider: Provider) -> None:
    await _http(provider.url).send(SMS)
    (asked,) = provider.asked
    assert (asked.method, asked.url) == ("POST", "/send?ref=20261124-1")
    assert asked.json == {"to": "+33612320692", "text": SMS.text, "from": "FLEXID", "other": {"a": 1}}
    assert asked.headers["authorization"] == "Bearer s3cret"
    assert asked.headers["content-type"] == "application/json"


@asynchronous
async def test_forms_and_addresses_are_written_as_these_want_it(provider: Provider) -> None:
    form = "application/x-www-form-urlencoded"
    await _http(provider.url, body="n={to}&t={text}", content_type=form).send(SMS)
    assert provider.asked[0].body == ("n=%2B33612320692&t=Your+%22B%C3%A4ckerei%22+validation+code+is+4711")
    url = f"{provider.url}/?to={{to}}&text={{text}}&key={{secret}}"
    await _http(provider.url, method="GET", url=url, header="").send(SMS)
    asked = provider.asked[1]
    assert (asked.method, asked.body) == ("GET", "")
    assert asked.url.startswith("/?to=%2B33612320692&text=Your%20%22B")
    assert asked.url.endswith("&key=s3cret")
    assert "authorization" not in asked.headers


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Refused),
        (422, Refused),
        (401, Undelivered),
        (302, Undelivered),
        (429, Undelivered),
        (503, Undelivered),
        (500, Doubtful),
        (504, Doubtful),
    ],
)
@asynchronous
async def test_a_status_says_whether_to_try_again(status: int, kind: type[Undelivered], provider: Provider) -> None:
    provider.status, provider.answer = status, f"no: {SMS.text} Bearer s3cret".encode()
    error = await _error(_http(provider.url))
    assert type(error) is kind
    assert "4711" not in str(error)
    assert "s3cret" not in str(error)


@asynchronous
async def test_an_answer_that_does_not_come_leaves_it_in_doubt(provider: Provider) -> None:
    provider.silent = True
    assert type(await _error(_http(provider.url, 0.3))) is Doubtful
    assert type(await _error(_ovh(provider.url, seconds=0.3))) is Doubtful
    provider.hangs_up = True
    assert type(await _error(_http(provider.url))) is Doubtful


@asynchronous
async def test_a_provider_that_is_away_has_taken_nothing() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
    for carrier in (_http(url), _ovh(url), _http(url.replace("http://127.0.0.1", "https://localhost"))):
        assert type(await _error(carrier)) is Away


@asynchronous
async def test_a_server_that_nobody_trusts_has_taken_nothing(provider: Provider) -> None:
    signed = Authority().server()
    own: dict[str, Any] = {"privateKey": signed.key, "certificate": signed.certificate}
    options = CertificateOptions(**own)
    port = reactor.listenSSL(0, Site(provider), options, interface="127.0.0.1")
    assert type(await _error(_http(f"https://localhost:{port.getHost().port}"))) is Away
    assert provider.asked == []
    await port.stopListening()


def test_secrets_show_nowhere() -> None:
    for carrier in (_http("http://127.0.0.1"), _ovh("http://127.0.0.1")):
        assert not {"s3cret", "'AS'", "'CK'", "'AK'"} & set(repr(carrier).replace(",", " ").split())
