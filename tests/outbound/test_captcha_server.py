"""hCaptcha's server: what is asked, and what it may do to us."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_twisted
from attrs import evolve
from pytest_twisted import ensureDeferred
from support.captcha import PERSON, SECRET, SITE_KEY, CaptchaServer
from twisted.internet import reactor
from twisted.logger import LogEvent, eventAsText, globalLogPublisher

from flexid.domain.errors import Unavailable
from flexid.outbound import captcha
from flexid.outbound.captcha import MOST_BYTES, HCaptcha, NoCaptcha
from flexid.outbound.guard import Guard
from flexid.outbound.web import Web

IP = "192.0.2.7"


@pytest_twisted.async_yield_fixture
async def server() -> AsyncIterator[CaptchaServer]:
    running = CaptchaServer()
    running.start()
    yield running
    await running.stop()


def _client(server: CaptchaServer) -> HCaptcha:
    return HCaptcha(Web(reactor, Guard(reactor, allow_private=True)), server.url, SITE_KEY, SECRET)


@ensureDeferred
async def test_a_person_passes_once_and_a_program_never(server: CaptchaServer) -> None:
    client = _client(server)
    assert await client.is_passed(PERSON, IP) is True
    assert await client.is_passed(PERSON, IP) is False
    assert await client.is_passed("a program & its=guess", IP) is False
    assert server.asked[0] == {"secret": SECRET, "sitekey": SITE_KEY, "response": PERSON, "remoteip": IP}
    assert server.asked[2]["response"] == "a program & its=guess"


@pytest.mark.parametrize("response", ["", "x" * 20_001])
@ensureDeferred
async def test_nonsense_is_not_asked_about(server: CaptchaServer, response: str) -> None:
    assert await _client(server).is_passed(response, IP) is False
    assert server.asked == []


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b"null", b"{}", b'{"success": false, "error-codes": 5}', b"\xff", b" " * (MOST_BYTES + 1)],
)
@ensureDeferred
async def test_an_unreadable_answer_is_none(server: CaptchaServer, body: bytes) -> None:
    server.body = body
    with pytest.raises(Unavailable):
        await _client(server).is_passed(PERSON, IP)


@pytest.mark.parametrize("told", [b'{"success": "true"}', b'{"success": 1}', b'{"success": false}'])
@ensureDeferred
async def test_nothing_but_a_clear_yes_is_one(server: CaptchaServer, told: bytes) -> None:
    server.body = told
    assert await _client(server).is_passed(PERSON, IP) is False


@pytest.mark.parametrize("status", [204, 302, 404, 500])
@ensureDeferred
async def test_another_status_is_no_answer(server: CaptchaServer, status: int) -> None:
    server.status = status
    with pytest.raises(Unavailable):
        await _client(server).is_passed(PERSON, IP)
    assert len(server.asked) == 1


@ensureDeferred
async def test_a_server_that_falls_silent_is_given_up(server: CaptchaServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(captcha, "SECONDS", 0.2)
    server.silent = True
    with pytest.raises(Unavailable):
        await _client(server).is_passed(PERSON, IP)
    await server.left


@ensureDeferred
async def test_a_server_that_is_away_is_that() -> None:
    client = HCaptcha(Web(reactor, Guard(reactor, allow_private=True)), "http://127.0.0.1:1/", SITE_KEY, SECRET)
    with pytest.raises(Unavailable):
        await client.is_passed(PERSON, IP)


@ensureDeferred
async def test_a_wrong_secret_is_our_mistake_which_the_log_names_without_it(server: CaptchaServer) -> None:
    seen: list[LogEvent] = []

    def observer(event: LogEvent) -> None:
        seen.append(event)

    globalLogPublisher.addObserver(observer)  # type: ignore[arg-type]  # any callable is an observer
    try:
        with pytest.raises(Unavailable):
            await evolve(_client(server), secret="0x-a-wrong-one").is_passed(PERSON, IP)
    finally:
        globalLogPublisher.removeObserver(observer)  # type: ignore[arg-type]  # the same one
    logged = "\n".join(eventAsText(event) for event in seen)
    assert "invalid-input-secret" in logged
    assert "0x-" not in logged


@ensureDeferred
async def test_where_nobody_is_asked_everybody_passes() -> None:
    assert await NoCaptcha().is_passed("", IP) is True
