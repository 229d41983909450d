"""Whom we trust over TLS, and who we are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from attrs import frozen


@frozen
class Trust:
    """Whom we trust, and who we are: PEM files, read anew for each connection.

    Without `ca` the authorities of the operating system are trusted; without `certificate` we are nobody.
    """

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def options(self, host: str) -> Any:
        """Return what Twisted needs for a connection to a host, whose certificate has to name it.

        :raise OSError: a file cannot be read.
        :raise ValueError: there is not in it what should be.
        """
        from twisted.internet import ssl  # noqa: PLC0415  # it takes long, and is seldom wanted

        return ssl.optionsForClientTLS(
            host, self._trusted() if self.ca else ssl.platformTrust(), extraCertificateOptions=self._own()
        )

    def _trusted(self) -> Any:
        from OpenSSL.crypto import X509  # noqa: PLC0415  # as above
        from twisted.internet.ssl import Certificate, trustRootFromCertificates  # noqa: PLC0415

        authorities = [X509.from_cryptography(each) for each in _certificates(self.ca)]
        return trustRootFromCertificates([Certificate(each) for each in authorities])

    def _own(self) -> dict[str, Any]:
        from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415  # as above

        if self.certificate is None or self.key is None:
            return {}
        first, *others = _certificates(self.certificate)
        key = load_pem_private_key(self.key.read_bytes(), password=None)
        return {"certificate": first, "privateKey": key, "extraCertChain": others}


def _certificates(path: Path | None) -> list[Any]:
    from cryptography import x509  # noqa: PLC0415  # as above

    return x509.load_pem_x509_certificates(path.read_bytes()) if path else []
