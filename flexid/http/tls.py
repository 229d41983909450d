"""flexid's own TLS: its certificate, and the authorities that vouch for clients'; replaced while it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from attrs import frozen
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from OpenSSL import SSL
from OpenSSL.crypto import X509
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator
from twisted.internet.ssl import CertificateOptions, TLSVersion
from twisted.logger import Logger
from twisted.protocols.tls import BufferingTLSTransport, TLSMemoryBIOFactory
from twisted.python.failure import Failure
from zope.interface import implementer

from flexid.base.settings import Tls
from flexid.base.text import Text
from flexid.domain.errors import DomainError

PROTOCOLS = (b"h2", b"http/1.1")
GOODBYE_SECONDS = 2.0
"""How long a client may take to answer the end of TLS with its own."""


class UnusableCertificate(DomainError):  # noqa: N818  # a reason, as the domain's errors are
    """A file of certificates or a key cannot be used."""


@frozen
class _Credentials:
    options: CertificateOptions
    own: x509.Certificate


@implementer(IOpenSSLServerConnectionCreator)
class Certificates:
    """The files that `[tls]` names, as they were when they were last read."""

    log = Logger()

    def __init__(self, settings: Tls) -> None:
        """:raise UnusableCertificate: one of the files cannot be used."""
        self._settings = settings
        self._credentials = _read(settings)
        self._tell()

    @property
    def ends_at(self) -> float:
        """When our certificate ends, in seconds since 1970."""
        return self._credentials.own.not_valid_after_utc.timestamp()

    def reload(self) -> None:
        """Read the files again: handshakes from now on use what is in them, or the old where the new is of no use."""
        try:
            self._credentials = _read(self._settings)
        except UnusableCertificate as error:
            # The reason says it all, a traceback nothing more.
            self.log.error(  # noqa: TRY400
                "The TLS certificate stays as it was: {reason}", reason=error.reason
            )
        else:
            self._tell()

    def serverConnectionForTLS(self, protocol: Any) -> SSL.Connection:  # noqa: N802  # Twisted's name
        """Return the server's end of a new connection."""
        return self._credentials.options.serverConnectionForTLS(protocol)

    def _tell(self) -> None:
        own = self._credentials.own
        self.log.info(
            "TLS uses the certificate {serial} of {subject}, valid until {until}",
            serial=f"{own.serial_number:x}",
            subject=own.subject.rfc4514_string(),
            until=own.not_valid_after_utc.isoformat(),
        )


class TlsTransport(BufferingTLSTransport):
    """A connection that ends when it is to end.

    Twisted's waits for the client's goodbye without limit (its issue 7926), and for a producer that HTTP/2 never takes
    back.
    """

    factory: Any
    transport: Any
    _goodbye: Any = None

    def loseConnection(self) -> None:  # noqa: N802  # Twisted's name
        """Send what is to be sent, say goodbye and close."""
        self.unregisterProducer()
        super().loseConnection()

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]  # noqa: N802  # Twisted's
        """Be told that the connection has ended."""
        if self._goodbye is not None and self._goodbye.active():
            self._goodbye.cancel()
        super().connectionLost(reason)

    def _shutdownTLS(self) -> None:  # noqa: N802  # Twisted's name
        super()._shutdownTLS()
        if self._goodbye is None and self.connected:
            self._goodbye = self.factory._clock.callLater(  # noqa: SLF001  # the clock that Twisted's own timers use
                GOODBYE_SECONDS, self.transport.loseConnection
            )


class TlsFactory(TLSMemoryBIOFactory):
    """Puts TLS under the connections of a factory."""

    protocol = TlsTransport

    def __init__(self, certificates: Any, factory: Any, reactor: Any) -> None:
        """`certificates` are those of the class above, `factory` makes what TLS is put under."""
        super().__init__(certificates, isClient=False, wrappedFactory=factory, clock=reactor)


def _read(settings: Tls) -> _Credentials:
    if settings.certificate is None or settings.key is None:
        raise UnusableCertificate(Text("TLS needs a certificate and its key"))
    chain: list[Any] = _certificates(settings.certificate)
    authorities = _certificates(settings.client_ca) if settings.client_ca else []
    key = _key(settings.key)
    if key.public_key() != chain[0].public_key():
        raise UnusableCertificate(
            Text(
                "The key in {key} is not that of the certificate in {file}", key=settings.key, file=settings.certificate
            )
        )
    options = CertificateOptions(
        privateKey=key,
        certificate=chain[0],
        extraCertChain=chain[1:],
        raiseMinimumTo=TLSVersion.TLSv1_2,
        acceptableProtocols=PROTOCOLS,
        # A client may come without a certificate; one that does not stand the test ends the handshake.
        verify=bool(authorities),
        caCerts=[X509.from_cryptography(authority) for authority in authorities],
        requireCertificate=False,
    )
    try:
        context = options.getContext()
        for authority in authorities:
            # Browsers offer only what one of these has signed.
            context.add_client_ca(authority)
    except SSL.Error as error:
        raise _unusable(settings.certificate, _openssl_reason(error)) from None
    return _Credentials(options, chain[0])


def _certificates(path: Path) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(_content(path))
    except ValueError:
        raise UnusableCertificate(Text("There is no PEM certificate in {file}", file=path)) from None


def _key(path: Path) -> Any:
    try:
        return load_pem_private_key(_content(path), password=None)
    except (ValueError, TypeError):
        # TypeError: there is one, behind a passphrase.
        raise UnusableCertificate(Text("There is no PEM key without passphrase in {file}", file=path)) from None


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise _unusable(path, error.strerror or str(error)) from None


def _unusable(path: Path, reason: str) -> UnusableCertificate:
    return UnusableCertificate(Text("Cannot use {file}: {reason}", file=path, reason=reason))


def _openssl_reason(error: SSL.Error) -> str:
    return ", ".join(reason for *_, reason in (error.args[0] if error.args else ())) or "OpenSSL refuses it"
