"""The certificate that a client has shown: to us in TLS, or to a trusted proxy that tells us of it."""

from __future__ import annotations

from attrs import frozen
from cryptography import x509
from cryptography.x509.oid import NameOID

from flexid.base.settings import Tls
from flexid.domain.certificate_subject import common_name, sip_address
from flexid.domain.sip_address import SipAddress
from flexid.http.peers import Proxies
from flexid.http.request import FlexidRequest

VERIFIED = "SUCCESS"
ABSENT = frozenset({"", "NONE"})
"""What nginx says of a client that has shown none."""


@frozen
class Shown:
    """A certificate that was shown; `address` is None if it is not verified, or names nobody."""

    address: SipAddress | None


def shown(request: FlexidRequest, proxies: Proxies, settings: Tls) -> Shown | None:
    """Return the certificate that came with a request, or None.

    Behind a trusted proxy whose headers are configured these decide: a certificate in TLS would be the proxy's own.
    From anybody else the headers mean nothing.
    """
    if settings.proxy_verified_header and proxies.is_trusted(request):
        return _of_proxy(request, settings)
    # A client that has hung up in the meantime has no channel any more.
    certificate: x509.Certificate | None = request.channel.peer_certificate() if request.channel else None
    return None if certificate is None else Shown(_address(certificate))


def _address(certificate: x509.Certificate) -> SipAddress | None:
    try:
        names = [attribute.value for attribute in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    except ValueError:
        # A subject that cannot be read.
        return None
    return sip_address(names[0]) if len(names) == 1 and isinstance(names[0], str) else None


def _of_proxy(request: FlexidRequest, settings: Tls) -> Shown | None:
    verified, subject = (
        request.requestHeaders.getRawHeaders(name.encode()) or []
        for name in (settings.proxy_verified_header, settings.proxy_subject_header)
    )
    if all(value.decode(errors="replace") in ABSENT for value in verified):
        return None
    # Of a header that came twice, one could be the client's own.
    if verified != [VERIFIED.encode()] or len(subject) != 1:
        return Shown(None)
    name = common_name(subject[0].decode(errors="replace"))
    return Shown(sip_address(name) if name else None)
