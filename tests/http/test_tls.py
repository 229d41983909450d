"""TLS of our own: what it speaks, whom it lets in, and certificates that change while it runs."""

from __future__ import annotations

import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from attrs import define, field
from cryptography import x509
from h2.connection import H2Connection
from h2.events import ConnectionTerminated
from support.certificates import DAY, Authority, Signed
from support.reactor import asynchronous, reactor, until
from twisted.internet.defer import ensureDeferred
from twisted.internet.threads import deferToThread
from twisted.logger import LogEvent, LogLevel, globalLogPublisher
from twisted.web.resource import Resource

from flexid.base.settings import Tls
from flexid.http.http2 import Http2Channel
from flexid.http.listeners import Listeners
from flexid.http.request import FlexidRequest, FlexidSite
from flexid.http.tls import Certificates, TlsFactory, UnusableCertificate

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Whoami(Resource):
    """Tells a client the common name of its certificate."""

    isLeaf = True

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Twisted's

    def render(self, request: FlexidRequest) -> bytes:
        certificate = request.channel.peer_certificate()
        return b"nobody" if certificate is None else certificate.subject.rfc4514_string().encode()


@define
class Server:
    folder: Path
    authority: Authority = field(factory=Authority)
    clients: Authority = field(factory=lambda: Authority("Clients"))
    own: Signed = field(init=False)
    certificates: Certificates = field(init=False)
    listeners: Listeners = field(init=False)

    def secured(self, factory: Any) -> TlsFactory:
        return TlsFactory(self.certificates, factory, reactor)

    async def start(self) -> None:
        self.own = self.renew()
        (self.folder / "clients.pem").write_bytes(self.clients.own.pem())
        self.certificates = Certificates(self.settings())
        site = FlexidSite(Whoami(), reactor, max_body_size=1000)
        self.listeners = Listeners(
            reactor,
            site,
            [],
            ["tcp:0:interface=127.0.0.1"],
            self.secured,
        )
        await self.listeners.open()

    def renew(self) -> Signed:
        own = self.authority.server()
        own.write(self.folder, "own")
        return own

    def settings(self, **changes: Any) -> Tls:
        files = {"certificate": "own.pem", "key": "own.key", "client_ca": "clients.pem", **changes}
        return Tls(**{name: self.folder / file for name, file in files.items() if file})

    @property
    def port(self) -> int:
        return int(self.listeners.addresses("localhost")[0].rpartition(":")[2])

    def connect(self, signed: Signed | None = None, *protocols: str, **settings: Any) -> ssl.SSLSocket:
        context = ssl.create_default_context(cadata=self.authority.own.pem().decode())
        for name, value in settings.items():
            setattr(context, name, value)
        if protocols:
            context.set_alpn_protocols(list(protocols))
        if signed:
            context.load_cert_chain(*signed.write(self.folder, "client"))
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=5)
        return context.wrap_socket(plain, server_hostname="localhost")

    def ask(self, signed: Signed | None = None) -> bytes:
        with self.connect(signed) as connection:
            return talk(connection)

    def serial(self) -> int:
        with self.connect() as connection:
            return x509.load_der_x509_certificate(connection.getpeercert(binary_form=True) or b"").serial_number


def talk(connection: ssl.SSLSocket) -> bytes:
    connection.sendall(GET)
    return connection.recv(10_000)


def read_to_the_end(connection: ssl.SSLSocket) -> bytes:
    """Return what comes before the server's goodbye."""
    heard = b""
    while piece := connection.recv(10_000):
        heard += piece
    return heard


@pytest_twisted.async_yield_fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    server = Server(tmp_path)
    await server.start()
    yield server
    await server.listeners.close(5)


@pytest.fixture
def told() -> Iterator[Callable[[], list[str]]]:
    """What was logged as an error."""
    events: list[LogEvent] = []
    observer: Any = events.append
    globalLogPublisher.addObserver(observer)
    yield lambda: [
        str(event["reason"]) for event in events if event["log_level"] is LogLevel.error and "reason" in event
    ]
    globalLogPublisher.removeObserver(observer)


@asynchronous
async def test_the_address_of_a_secure_port_says_so(server: Server) -> None:
    assert server.listeners.addresses("example.org") == [f"https://example.org:{server.port}"]


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [((), None), (("h2",), "h2"), (("http/1.1",), "http/1.1"), (("http/1.1", "h2"), "h2")],
)
@asynchronous
async def test_a_protocol_is_agreed_on(server: Server, offered: tuple[str, ...], chosen: str | None) -> None:
    connection = await deferToThread(server.connect, None, *offered)
    assert connection.selected_alpn_protocol() == chosen
    connection.close()


@asynchronous
async def test_without_a_protocol_in_common_there_is_no_connection(server: Server) -> None:
    with pytest.raises(ssl.SSLError):
        await deferToThread(server.connect, None, "spdy/3")


@asynchronous
async def test_old_versions_of_tls_are_refused(server: Server) -> None:
    connection = await deferToThread(server.connect, maximum_version=ssl.TLSVersion.TLSv1_2)
    assert connection.version() == "TLSv1.2"
    connection.close()
    with pytest.warns(DeprecationWarning, match="TLSv1"), pytest.raises(ssl.SSLError):
        await deferToThread(
            server.connect, minimum_version=ssl.TLSVersion.TLSv1, maximum_version=ssl.TLSVersion.TLSv1_1
        )


@asynchronous
async def test_a_client_may_come_with_a_certificate_or_without(server: Server) -> None:
    assert (await deferToThread(server.ask)).endswith(b"nobody")
    assert (await deferToThread(server.ask, server.clients.client("alice"))).endswith(b"CN=alice")


@asynchronous
async def test_a_certificate_that_does_not_stand_the_test_ends_the_handshake(server: Server) -> None:
    for signed in (
        Authority("Clients").client("alice"),
        server.clients.client("alice", age=10 * DAY),
        server.clients.server(),
        server.authority.client("alice"),
    ):
        with pytest.raises(ssl.SSLError):
            await deferToThread(server.ask, signed)


@asynchronous
async def test_read_again_the_new_certificate_serves_new_connections_and_the_old_one_those_that_are_open(
    server: Server,
) -> None:
    connection = await deferToThread(server.connect)
    assert await deferToThread(server.serial) == server.own.serial
    renewed = server.renew()
    server.clients = Authority("New clients")
    (server.folder / "clients.pem").write_bytes(server.clients.own.pem())
    server.certificates.reload()
    assert await deferToThread(server.serial) == renewed.serial
    assert (await deferToThread(talk, connection)).endswith(b"nobody")
    assert (await deferToThread(server.ask, server.clients.client("bob"))).endswith(b"CN=bob")
    connection.close()


@asynchronous
async def test_files_of_no_use_leave_the_certificate_as_it_was(server: Server, told: Callable[[], list[str]]) -> None:
    file = server.folder / "own.pem"
    for broken, reason in (
        (b"nonsense", f"There is no PEM certificate in {file}"),
        (
            server.authority.server().pem(),
            f"The key in {server.folder / 'own.key'} is not that of the certificate in {file}",
        ),
        (None, f"Cannot use {file}: No such file or directory"),
    ):
        file.write_bytes(broken) if broken else file.unlink()
        server.certificates.reload()
        assert told()[-1] == reason
        assert await deferToThread(server.serial) == server.own.serial
    assert len(told()) == 3


def test_certificates_between_ours_and_the_root_are_taken_too(tmp_path: Path) -> None:
    server = Server(tmp_path)
    own = server.renew()
    (tmp_path / "own.pem").write_bytes(own.pem() + server.authority.own.pem())
    options = Certificates(server.settings(client_ca=""))._credentials.options
    assert options.extraCertChain == [server.authority.own.certificate]


def test_at_the_start_a_file_of_no_use_is_named(tmp_path: Path) -> None:
    server = Server(tmp_path)
    own = server.renew()
    (tmp_path / "locked.key").write_bytes(own.key_pem(b"passphrase"))
    (tmp_path / "clients.pem").write_bytes(b"")
    for changes, reason in (
        ({"client_ca": "", "key": "locked.key"}, "There is no PEM key without passphrase in .*locked.key"),
        ({"client_ca": "", "key": "own.pem"}, "There is no PEM key without passphrase in .*own.pem"),
        ({}, "There is no PEM certificate in .*clients.pem"),
        ({"client_ca": "absent.pem"}, "Cannot use .*absent.pem: No such file or directory"),
    ):
        with pytest.raises(UnusableCertificate, match=reason):
            Certificates(server.settings(**changes))


@asynchronous
async def test_a_client_that_does_not_say_goodbye_does_not_hold_up_the_end(server: Server) -> None:
    connection = await deferToThread(server.connect)
    await deferToThread(talk, connection)
    began = reactor.seconds()
    await ensureDeferred(server.listeners.close(30))
    assert reactor.seconds() - began < 5
    connection.close()


@asynchronous
async def test_a_connection_of_http2_that_is_told_to_end_is_closed(server: Server) -> None:
    connection = await deferToThread(server.connect, None, "h2")
    client = H2Connection()
    client.initiate_connection()
    connection.sendall(client.data_to_send())
    await until(lambda: any(isinstance(one, Http2Channel) for one in server.listeners._connections._open()))
    closing = ensureDeferred(server.listeners.close(30))
    heard = await deferToThread(read_to_the_end, connection)
    assert any(isinstance(event, ConnectionTerminated) for event in client.receive_data(heard))
    await closing
    connection.close()


@asynchronous
async def test_who_never_begins_to_speak_tls_does_not_hold_up_the_end(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port)):
        await until(server.listeners._connections.any_open)
        began = reactor.seconds()
        await ensureDeferred(server.listeners.close(30))
        assert reactor.seconds() - began < 5
