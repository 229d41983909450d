"""Authorities, and what they sign."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from attrs import field, frozen
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = timedelta(days=1)


@frozen
class Signed:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def serial(self) -> int:
        return self.certificate.serial_number

    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def key_pem(self, passphrase: bytes | None = None) -> bytes:
        protection = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
        return self.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection)

    def write(self, folder: Path, name: str) -> tuple[Path, Path]:
        """Write both files, each in one step as those do who renew certificates; return their paths."""
        paths = folder / f"{name}.pem", folder / f"{name}.key"
        for path, content in zip(paths, (self.pem(), self.key_pem()), strict=True):
            fresh = path.with_suffix(".new")
            fresh.write_bytes(content)
            fresh.replace(path)
        return paths


@frozen
class Authority:
    """Signs certificates of servers and clients."""

    name: str = "Test authority"
    own: Signed = field()

    @own.default
    def _make_own(self) -> Signed:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.name)])
        constraints = x509.BasicConstraints(ca=True, path_length=0)
        built = _builder(subject, subject, key, timedelta(0)).add_extension(constraints, critical=True)
        return Signed(built.sign(key, hashes.SHA256()), key)

    def server(self, *hosts: str) -> Signed:
        """Return a certificate of a server, for localhost, 127.0.0.1 and further hosts."""
        names = [x509.DNSName(host) for host in ("localhost", *hosts)]
        extension = x509.SubjectAlternativeName([*names, x509.IPAddress(ip_address("127.0.0.1"))])
        return self._sign([(NameOID.COMMON_NAME, "localhost")], ExtendedKeyUsageOID.SERVER_AUTH, extension)

    def client(self, *common_names: str, age: timedelta = timedelta(0), organisation: str = "") -> Signed:
        """Return a certificate of a client; those whose age is above a day have expired."""
        parts = [(NameOID.ORGANIZATION_NAME, organisation)] if organisation else []
        parts += [(NameOID.COMMON_NAME, name) for name in common_names]
        return self._sign(parts, ExtendedKeyUsageOID.CLIENT_AUTH, None, age)

    def _sign(
        self,
        parts: list[tuple[x509.ObjectIdentifier, str]],
        usage: x509.ObjectIdentifier,
        names: x509.SubjectAlternativeName | None,
        age: timedelta = timedelta(0),
    ) -> Signed:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(*part) for part in parts])
        builder = _builder(subject, self.own.certificate.subject, key, age)
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        if names:
            builder = builder.add_extension(names, critical=False)
        return Signed(builder.sign(self.own.key, hashes.SHA256()), key)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, age: timedelta
) -> x509.CertificateBuilder:
    now = datetime.now(UTC) - age
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - DAY)
        .not_valid_after(now + DAY)
    )
