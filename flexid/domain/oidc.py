"""OpenID Connect: who vouches for the accounts of a Space."""

from __future__ import annotations

from attrs import field, frozen

from flexid.base.text import Text

LEAST_KEY_BITS = 2048
"""RFC 7518, 3.3."""


@frozen
class OidcConfiguration:
    """An OpenID server and how accounts are found by what it says; the URL of the server ends in a slash."""

    server_url: str
    realm: str
    sip_identifier: str
    client_id: str | None
    client_secret: str | None = field(repr=False)
    public_key: str | None
    role_provisioning: str | None
    auto_provisioning: bool


@frozen
class OidcClient:
    """What a Space is at its OpenID server: by this name, with this secret or, as a public client, without one."""

    issuer: str
    client_id: str
    client_secret: str | None = field(repr=False)


def public_key_fault(pem: str) -> Text | None:
    """Say what is wrong with a key that is to verify tokens: they are signed by RSA, and nothing else is taken."""
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415  # a start need not wait for it
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_public_key  # noqa: PLC0415

    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, RSAPublicKey) or key.key_size < LEAST_KEY_BITS:
        return Text("It must be an RSA public key in PEM, of {bits} bits at least", bits=LEAST_KEY_BITS)
    return None
