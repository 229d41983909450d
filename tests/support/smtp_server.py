"""A mail server of the test's own (aiosmtpd), in a thread of its own: what it takes, it keeps."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from attrs import define, field, frozen
from support.certificates import Authority, Signed
from support.mail import ReadMail

HOST = "127.0.0.1"
USER, PASSWORD = "flexid@example.org", "p@ss: word/1"
OK = "250 2.0.0 taken as 4711"


@frozen
class Received:
    """A mail as it came in."""

    sender: str
    recipient: str
    mail: ReadMail
    raw: bytes = field(repr=False)
    was_encrypted: bool
    user: str | None


@define
class SmtpServer:
    """Says what it is told to say; `replies` are the answers to RCPT of recipients, `says` the answer to the mail."""

    secure: ssl.SSLContext | None = None
    implicit: bool = False
    auth: bool = False
    offers_plain_auth: bool = False
    """Whether it offers AUTH before TLS."""
    says: str = OK
    replies: dict[str, str] = field(factory=dict)
    hangs: bool = False
    """Whether it takes mails and says nothing."""
    port: int = 0
    received: list[Received] = field(factory=list)
    attempts: list[str] = field(factory=list)
    """Recipients that were asked for."""
    spoken: list[bytes] = field(factory=list)
    """Names and passwords that came."""
    most_at_once: int = 0
    _at_once: int = 0
    _loop: Any = None
    _transports: set[asyncio.BaseTransport] = field(factory=set)
    _server: Any = None
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Listen; the same port again after `stop`."""
        ready = threading.Event()

        def run() -> None:
            asyncio.set_event_loop(self._loop)
            self._loop.run_until_complete(self._listen())
            ready.set()
            self._loop.run_forever()

        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=run, daemon=True)
        self._thread.start()
        assert ready.wait(10)

    def stop(self) -> None:
        """Listen no more, and hang up on everybody."""
        assert self._thread
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
        self._thread = None

    @property
    def is_running(self) -> bool:
        return self._thread is not None

    def url(self, tls: str = "starttls", *, signed_in: bool = False, host: str = "localhost") -> str:
        """Return what goes into the configuration."""
        who = "flexid%40example.org:p%40ss%3A%20word%2F1@" if signed_in else ""
        return f"smtp://{who}{host}:{self.port}?tls={tls}"

    async def _listen(self) -> None:
        self._server = await self._loop.create_server(
            self._protocol, HOST, self.port, ssl=self.secure if self.implicit else None
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        self._server.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for transport in list(self._transports):
            transport.abort()  # type: ignore[attr-defined]  # those of sockets have it
        # aiosmtpd tells nobody when they have ended, and of those whose TLS came to nothing it never hears.
        for _ in range(50):
            if not self._transports:
                break
            await asyncio.sleep(0.01)
        self._transports.clear()

    def _protocol(self) -> SMTP:
        return _Connection(
            self._transports,
            _Handler(self),
            loop=self._loop,
            hostname="mail.example.org",
            tls_context=None if self.implicit else self.secure,
            authenticator=self._authenticate if self.auth else None,
            auth_required=self.auth,
            auth_require_tls=not (self.offers_plain_auth or self.implicit),
            enable_SMTPUTF8=False,
        )

    def _authenticate(self, *said: Any) -> AuthResult:
        data = said[-1]
        assert isinstance(data, LoginPassword)
        self.spoken += [data.login, data.password]
        is_right = (data.login.decode(), data.password.decode()) == (USER, PASSWORD)
        return AuthResult(success=is_right, handled=False, auth_data=data.login.decode())


class _Connection(SMTP):
    """Tells which connections are open: aiosmtpd leaves those to themselves that end uncleanly."""

    def __init__(self, opened: set[asyncio.BaseTransport], *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._opened = opened
        self._socket: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if self._socket is None:
            self._socket = transport
            self._opened.add(transport)

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        if self._socket:
            self._opened.discard(self._socket)


@frozen
class _Handler:
    server: SmtpServer

    async def handle_RCPT(self, *said: Any) -> str:
        envelope, address = said[2:4]
        self.server.attempts.append(address)
        reply = self.server.replies.get(address, "250 OK")
        if reply.startswith("250"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, smtp: SMTP, session: Session, envelope: Envelope) -> str:
        server = self.server
        server._at_once += 1
        server.most_at_once = max(server.most_at_once, server._at_once)
        try:
            if server.hangs:
                await asyncio.sleep(600)
            await asyncio.sleep(0)
        finally:
            server._at_once -= 1
        if server.says.startswith("250"):
            content = envelope.content
            assert isinstance(content, bytes)
            mail = ReadMail(message_from_bytes(content, policy=policy.default))
            encrypted = smtp.transport is not None and smtp.transport.get_extra_info("sslcontext") is not None
            user = session.auth_data if session.authenticated else None
            sender, recipient = str(envelope.mail_from), envelope.rcpt_tos[0]
            server.received.append(Received(sender, recipient, mail, content, encrypted, user))
        return server.says


def context(signed: Signed, folder: Path) -> ssl.SSLContext:
    """Return what a server with this certificate needs."""
    secure = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    secure.load_cert_chain(*signed.write(folder, f"server-{signed.serial}"))
    return secure


@contextmanager
def serving(server: SmtpServer) -> Iterator[SmtpServer]:
    """Run a mail server for as long as it is needed."""
    server.start()
    try:
        yield server
    finally:
        if server.is_running:
            server.stop()


def trusted(authority: Authority, folder: Path) -> Path:
    """Return a file with the certificate of an authority."""
    path = folder / "authority.pem"
    path.write_bytes(authority.own.pem())
    return path


Serve = Callable[..., SmtpServer]
