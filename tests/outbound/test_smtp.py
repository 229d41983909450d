"""Mails on their way to a real mail server: what is taken, what is refused, and whom we trust."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.certificates import Authority
from support.reactor import asynchronous, reactor
from support.smtp_server import PASSWORD, USER, SmtpServer, context, serving, trusted
from twisted.internet.defer import DeferredList, ensureDeferred
from twisted.logger import LogEvent, globalLogPublisher

from flexid.base import smtp_address
from flexid.domain.mail import Letter
from flexid.domain.mail_server import MailServer
from flexid.domain.outbox import Refused, Undelivered
from flexid.outbound.smtp import SmtpCarrier
from flexid.outbound.trust import Trust

# Servers of the test's own do what nobody should, or do not know that they are within TLS.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")

HEAD = b"From: a@example.org\r\nSubject: x\r\n\r\n"
LETTER = Letter("20261124-1", "desk@example.org", "bob@example.org", HEAD + b"hello\r\n")


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture(scope="module")
def good(authority: Authority, folder: Path) -> Iterator[SmtpServer]:
    """A server with STARTTLS and AUTH, as providers run them."""
    with serving(SmtpServer(context(authority.server(), folder), auth=True)) as server:
        yield server


@pytest.fixture
def trust(authority: Authority, folder: Path) -> Trust:
    return Trust(trusted(authority, folder))


def _carrier(url: str, trust: Trust, timeout: float = 5) -> SmtpCarrier:
    return SmtpCarrier(reactor, trust, "flexid.example.org", timeout, smtp_address.read(url))


async def _refusal(carrier: SmtpCarrier, letter: Letter = LETTER, server: MailServer | None = None) -> Undelivered:
    with pytest.raises(Undelivered) as caught:
        await carrier.send(letter, server)
    return caught.value


@asynchronous
async def test_a_mail_is_handed_over_after_starttls_and_sign_in(good: SmtpServer, trust: Trust) -> None:
    words = await _carrier(good.url(signed_in=True), trust).send(LETTER)
    assert words == "250 2.0.0 taken as 4711"
    taken = good.received[-1]
    assert (taken.sender, taken.recipient, taken.raw) == ("desk@example.org", "bob@example.org", LETTER.content)
    assert (taken.was_encrypted, taken.user) == (True, USER)


@asynchronous
async def test_a_mail_is_handed_over_over_tls_from_the_beginning(
    authority: Authority, folder: Path, trust: Trust
) -> None:
    with serving(SmtpServer(context(authority.server(), folder), implicit=True, auth=True)) as server:
        await _carrier(server.url("implicit", signed_in=True), trust).send(LETTER)
        assert server.received[0].user == USER


@asynchronous
async def test_lines_that_begin_with_dots_and_long_mails_arrive_as_they_are(good: SmtpServer, trust: Trust) -> None:
    # So long that chunks end everywhere, before dots too.
    content = HEAD + b".\r\n..\r\n.a\r\n" * 100_000
    await _carrier(good.url(signed_in=True), trust, 60).send(Letter("1", "a@example.org", "b@example.org", content))
    assert good.received[-1].raw == content


@asynchronous
async def test_a_mail_without_end_is_not_sent(good: SmtpServer, trust: Trust) -> None:
    before = len(good.attempts)
    letter = Letter("1", "a@example.org", "b@example.org", bytes(5 << 20))
    assert isinstance(await _refusal(_carrier(good.url(signed_in=True), trust), letter), Refused)
    assert len(good.attempts) == before


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
@asynchronous
async def test_a_certificate_names_the_host_that_is_asked_for(good: SmtpServer, trust: Trust, host: str) -> None:
    await _carrier(good.url(signed_in=True, host=host), trust).send(LETTER)


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
@asynchronous
async def test_a_certificate_of_another_host_ends_it_before_anything_is_said(
    authority: Authority, folder: Path, trust: Trust, tls: str
) -> None:
    signed = authority.client("mail.elsewhere.org")
    with serving(SmtpServer(context(signed, folder), implicit=tls == "implicit", auth=True)) as server:
        for url in (server.url(tls, signed_in=True), server.url(tls)):
            error = await _refusal(_carrier(url, trust))
            assert "TLS says" in str(error) or "another host" in str(error)
            assert not isinstance(error, Refused)
        assert (server.spoken, server.attempts) == ([], [])


@asynchronous
async def test_an_authority_that_nobody_trusts_ends_it(good: SmtpServer, tmp_path: Path) -> None:
    before = len(good.spoken)
    other = Trust(trusted(Authority("Somebody else"), tmp_path))
    for trust in (Trust(), other):
        error = await _refusal(_carrier(good.url(signed_in=True), trust))
        assert "certificate verify failed" in str(error)
    assert len(good.spoken) == before


@asynchronous
async def test_a_file_of_authorities_that_is_missing_is_named(good: SmtpServer, tmp_path: Path) -> None:
    error = await _refusal(_carrier(good.url(), Trust(tmp_path / "none.pem")))
    assert "none.pem" in str(error)


@asynchronous
async def test_no_password_is_sent_in_clear_text(trust: Trust) -> None:
    with serving(SmtpServer(auth=True, offers_plain_auth=True)) as server:
        error = await _refusal(_carrier(server.url(signed_in=True), trust))
        assert "secure" in str(error)
        own = MailServer("localhost", server.port, USER, PASSWORD, None, None, None)
        assert "secure" in str(await _refusal(_carrier(server.url(), trust), LETTER, own))
        assert (server.spoken, server.attempts) == ([], [])


@asynchronous
async def test_a_wrong_password_is_tried_again_later_and_never_told(
    authority: Authority, folder: Path, trust: Trust
) -> None:
    said: list[LogEvent] = []
    observer: Any = said.append
    with serving(SmtpServer(context(authority.server(), folder), auth=True)) as server:
        own = MailServer("localhost", server.port, USER, "no such word", None, None, None)
        globalLogPublisher.addObserver(observer)
        error = await _refusal(_carrier(server.url(), trust), LETTER, own)
        globalLogPublisher.removeObserver(observer)
    assert "535" in str(error)
    assert not isinstance(error, Refused)
    assert "no such word" not in f"{error!r} {error} {said}"
    assert "bm8gc3VjaCB3b3Jk" not in f"{error!r} {error} {said}"


@asynchronous
async def test_a_server_within_the_network_needs_no_tls(trust: Trust) -> None:
    with serving(SmtpServer()) as server:
        await _carrier(server.url("none"), trust).send(LETTER)
        own = MailServer("127.0.0.1", server.port, None, None, None, None, None)
        await _carrier(server.url("none"), trust).send(LETTER, own)
        assert [each.was_encrypted for each in server.received] == [False, False]
        assert "secure" in str(await _refusal(_carrier(server.url("starttls"), trust)))


@asynchronous
async def test_what_a_space_s_own_server_offers_is_used(authority: Authority, folder: Path, trust: Trust) -> None:
    with serving(SmtpServer(context(authority.server(), folder))) as server:
        own = MailServer("localhost", server.port, None, None, None, None, None)
        await _carrier("smtp://localhost:1", trust).send(LETTER, own)
        assert server.received[0].was_encrypted


@pytest.mark.parametrize(
    ("replies", "says", "kind"),
    [
        ({"bob@example.org": "550 5.1.1 no such user"}, "250 OK", Refused),
        ({"bob@example.org": "452 4.2.2 the box is full"}, "250 OK", Undelivered),
        ({}, "554 5.7.1 no advertisements", Refused),
        ({}, "451 4.3.0 try again", Undelivered),
    ],
)
@asynchronous
async def test_what_the_server_says_for_good_is_for_good(
    replies: dict[str, str], says: str, kind: type[Undelivered], trust: Trust
) -> None:
    with serving(SmtpServer(replies=replies, says=says)) as server:
        error = await _refusal(_carrier(server.url("none"), trust))
    assert type(error) is kind
    assert str(error) == f"localhost:{server.port} said: {replies.get('bob@example.org', says)}"


@asynchronous
async def test_a_server_that_hangs_is_left_in_time(trust: Trust) -> None:
    with serving(SmtpServer(hangs=True)) as server:
        began = reactor.seconds()
        error = await _refusal(_carrier(server.url("none"), trust, 0.3))
        assert "more than 0.3 seconds" in str(error)
        assert reactor.seconds() - began < 2


@asynchronous
async def test_a_server_that_is_not_there_is_named(trust: Trust) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    error = await _refusal(_carrier(f"smtp://localhost:{port}", trust))
    assert f"localhost:{port} cannot be reached" in str(error)
    assert not isinstance(error, Refused)


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (
            [b"220 hello\r\n", b"250-mail\r\n250 STARTTLS\r\n", b"220 go\r\n250 AUTH PLAIN\r\n"],
            "more than STARTTLS allows",
        ),
        ([b"220-hello\r\n" * 200], "says too much"),
        ([b"HTTP/1.1 400 Bad Request\r\n\r\n"], "Invalid response"),
        ([b"554 no service for 10.0.0.1\r\n"], "554 no service"),
        ([b""], "too early"),
    ],
)
@asynchronous
async def test_servers_that_do_not_keep_to_the_rules_are_left(lines: list[bytes], says: str, trust: Trust) -> None:
    from twisted.internet.endpoints import TCP4ServerEndpoint  # noqa: PLC0415  # used here alone
    from twisted.internet.protocol import Factory, Protocol  # noqa: PLC0415

    class Rude(Protocol):
        transport: Any

        def connectionMade(self) -> None:
            self.lines = list(lines)
            self.dataReceived(b"")

        def dataReceived(self, _: bytes) -> None:
            line = self.lines.pop(0) if self.lines else b""
            if line:
                self.transport.write(line)
            else:
                self.transport.loseConnection()

    port = await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(Factory.forProtocol(Rude))
    error = await _refusal(_carrier(f"smtp://localhost:{port.getHost().port}", trust))
    assert says in str(error)
    assert not isinstance(error, Refused)
    await port.stopListening()


@asynchronous
async def test_many_are_handed_over_at_once(good: SmtpServer, trust: Trust) -> None:
    carrier = _carrier(good.url(signed_in=True), trust, 30)
    good.received.clear()
    letters = [Letter(str(each), "a@example.org", f"b{each}@example.org", LETTER.content) for each in range(20)]
    await DeferredList([ensureDeferred(carrier.send(letter)) for letter in letters], fireOnOneErrback=True)
    assert len({each.recipient for each in good.received}) == 20
