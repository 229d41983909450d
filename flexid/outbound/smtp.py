"""Mail servers (RFC 5321), with STARTTLS (RFC 3207) or TLS from the beginning (RFC 8314), and AUTH (RFC 4954)."""

from __future__ import annotations

from typing import Any

from attrs import field, frozen
from twisted.internet.defer import CancelledError, TimeoutError, ensureDeferred  # noqa: A004  # its name there

from flexid.base.smtp_address import IMPLICIT_PORT, SmtpAddress
from flexid.domain.mail import Letter
from flexid.domain.mail_server import MailServer
from flexid.domain.outbox import Away, Refused, Undelivered
from flexid.outbound.trust import Trust
from flexid.outbound.words import bounded

CONNECT_SECONDS = 15.0
MOST_BYTES = 4 << 20
"""Of a mail; ours are far shorter."""


@frozen
class SmtpCarrier:
    """Hands each mail over on a connection of its own; certificates have to name the host that is asked for."""

    reactor: Any
    trust: Trust
    identity: str
    """Who we say we are."""
    timeout: float
    """Seconds for one mail as a whole."""
    shared: SmtpAddress | None = None
    """The server of Spaces that have none of their own."""
    connect_timeout: float = field(default=CONNECT_SECONDS)

    def destination(self, server: MailServer | None) -> str | None:
        """Return host and port of a server, or of the one of all."""
        address = _own(server) if server else self.shared
        return str(address) if address else None

    async def send(self, letter: Letter, server: MailServer | None = None, seconds: float | None = None) -> str:
        """Hand over a mail and return what the server said when it took it.

        :raise Refused: the server will never take it.
        :raise Undelivered: it did not take it now, or cannot be reached, or cannot be trusted.
        """
        address = _own(server) if server else self.shared
        if address is None:
            raise Undelivered("there is no mail server")
        if len(letter.content) > MOST_BYTES:
            raise Refused(f"it is longer than {MOST_BYTES} bytes")
        patience = min(self.timeout, seconds or self.timeout)
        delivery = ensureDeferred(self._hand_over(letter, address))
        try:
            return await delivery.addTimeout(patience, self.reactor)
        except TimeoutError:
            raise Undelivered(f"{address} took more than {patience:g} seconds") from None
        except CancelledError:
            raise Undelivered(f"{address} took longer than we run") from None

    async def _hand_over(self, letter: Letter, address: SmtpAddress) -> str:
        from twisted.internet.protocol import Factory  # noqa: PLC0415  # here as below: not everybody sends mails

        from flexid.outbound.smtp_client import SmtpClient  # noqa: PLC0415

        try:
            secure = self.trust.options(address.host) if address.tls != "none" else None
            client = SmtpClient(letter, address, secure, self.identity)
        except (OSError, ValueError) as error:
            raise Undelivered(f"{address}: {error}") from None
        try:
            await self._endpoint(address, secure).connect(Factory.forProtocol(lambda: client))
        except CancelledError:
            raise
        except Exception as error:  # noqa: BLE001  # names that do not exist, networks that are away: there are many
            raise Away(f"{address} cannot be reached: {bounded(str(error))}") from None
        return await client.outcome

    def _endpoint(self, address: SmtpAddress, secure: Any) -> Any:
        from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS  # noqa: PLC0415  # as above

        plain: Any = HostnameEndpoint(self.reactor, address.host, address.port, self.connect_timeout)
        return wrapClientTLS(secure, plain) if address.tls == "implicit" else plain


def _own(server: MailServer) -> SmtpAddress:
    """Return where a Space's own server is; its port tells how it is secured, and a password demands that it is."""
    has_password = server.username is not None and server.password is not None
    tls = "implicit" if server.port == IMPLICIT_PORT else "starttls" if has_password else "offered"
    return SmtpAddress(
        server.host,
        server.port,
        tls,  # type: ignore[arg-type]  # mypy takes the words for any text
        server.username if has_password else None,
        server.password if has_password else None,
    )
