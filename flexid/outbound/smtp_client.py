"""The conversation with a mail server: Twisted's client, as far as it goes, and what it leaves open."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from OpenSSL import SSL
from service_identity import VerificationError
from twisted.internet.defer import Deferred
from twisted.internet.protocol import connectionDone
from twisted.mail.imap4 import LOGINAuthenticator
from twisted.mail.smtp import ESMTPClient, PLAINAuthenticator, SMTPClientError
from twisted.python.failure import Failure

from flexid.base.smtp_address import SmtpAddress
from flexid.domain.mail import Letter
from flexid.domain.outbox import Away, Refused, Undelivered
from flexid.outbound.words import bounded

TAKEN = range(200, 300)
NEVER = range(500, 600)
MOST_LINES = 100
"""Of one answer."""


class SmtpClient(ESMTPClient):
    """Hands over one mail and leaves; `outcome` is what the server said when it took it."""

    # What it said and heard would be logged with errors, the password among it.
    debug = False

    def __init__(self, letter: Letter, address: SmtpAddress, secure: Any, identity: str) -> None:
        """`secure` is what TLS needs, for STARTTLS; None where it is not to be tried."""
        password = address.password.encode() if address.password is not None else None
        super().__init__(password, secure, identity)
        self.requireAuthentication = address.username is not None
        self.requireTransportSecurity = address.tls == "starttls"
        if address.username is not None:
            for kind in (PLAINAuthenticator, LOGINAuthenticator):
                self.registerAuthenticator(kind(address.username.encode()))
        self.outcome: Deferred[str] = Deferred(lambda _: self._abort())
        self._letter = letter
        self._address = address
        self._is_begun = False

    def lineReceived(self, line: bytes) -> None:  # noqa: N802  # Twisted's name, as below
        """Read a line, of an answer that ends some time."""
        if len(self.resp) >= MOST_LINES:
            self._fail(f"{self._address} says too much")
            self._abort()
            return
        super().lineReceived(line)

    def tryTLS(self, code: int, resp: bytes, items: dict[bytes, bytes | None]) -> None:  # noqa: N802
        """Secure the connection if that is possible; keywords are the same in lower case (RFC 5321, 2.4)."""
        super().tryTLS(code, resp, {name.upper(): value for name, value in items.items()})

    def esmtpState_starttls(self, code: int, resp: bytes) -> None:  # noqa: N802
        """Begin TLS; what came with the permission came unsecured, from anybody, and would count as secured then."""
        if self.clearLineBuffer():
            self._fail(f"{self._address} says more than STARTTLS allows")
            self._abort()
            return
        super().esmtpState_starttls(code, resp)

    def getMailFrom(self) -> str | None:  # noqa: N802
        """Return from whom the mail comes, and nobody once it is sent."""
        if self._is_begun:
            return None
        self._is_begun = True
        return self._letter.sender

    def getMailTo(self) -> list[str]:  # noqa: N802
        """Return to whom the mail goes."""
        return [self._letter.recipient]

    def getMailData(self) -> BytesIO:  # noqa: N802
        """Return the mail, with dots doubled at the beginning of lines: chunk by chunk some would be missed."""
        return BytesIO(self._letter.content.replace(b"\r\n.", b"\r\n.."))

    def transformChunk(self, chunk: bytes) -> bytes:  # noqa: N802
        """Leave the mail as it is."""
        return chunk

    def sentMail(self, code: int, resp: Any, numOk: int, addresses: list[Any], log: Any) -> None:  # noqa: ARG002, N802, N803
        """Note what became of the mail."""
        _, code, resp = addresses[0] if addresses and not numOk else (None, code, resp)
        if code in TAKEN:
            self._succeed(f"{code} {_words(resp)}")
        else:
            self._fail(f"{self._address} said: {code} {_words(resp)}", Refused if code in NEVER else Undelivered)

    def sendError(self, exc: Exception) -> None:  # noqa: N802
        """Note why the mail could not even be offered: the server or we have to be mended, then it can."""
        if isinstance(exc, SMTPClientError):
            code = f"{exc.code} " if exc.code > 0 else ""
            self._fail(f"{self._address} said: {code}{_words(exc.resp)}", Away)
            super().sendError(exc)
        else:
            self._fail(f"{self._address}: {type(exc).__name__}")
            self._abort()

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802
        """Note that the connection has ended too early, if it has."""
        self._fail(f"{self._address} {_why(reason)}", Away)
        super().connectionLost(reason)

    def _succeed(self, words: str) -> None:
        if not self.outcome.called:
            self.outcome.callback(words)

    def _fail(self, reason: str, kind: type[Undelivered] = Undelivered) -> None:
        if not self.outcome.called:
            self.outcome.errback(Failure(kind(reason)))

    def _abort(self) -> None:
        if self.transport:
            self.transport.abortConnection()


def _words(response: bytes | str) -> str:
    return bounded(response.decode("utf-8", "replace") if isinstance(response, bytes) else response)


def _why(reason: Failure) -> str:
    error = reason.value
    if isinstance(error, VerificationError):
        return "shows a certificate of another host"
    if isinstance(error, SSL.Error):
        said = error.args[0] if error.args and isinstance(error.args[0], list) else []
        return f"cannot be trusted: TLS says {', '.join(str(each[-1]) for each in said) or 'no more'}"
    return "ended the connection too early"
