"""A sign-in at an OpenID server, from its begin on: the authorization code flow (OpenID Connect Core 1.0, 3.1)."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode

from attrs import field, frozen

from flexid.base.clock import random_token
from flexid.domain.openid_provider import Provider, with_parameters

SECRET_LENGTH = 43
"""256 bits in letters and digits, the least that RFC 7636 takes for a verifier."""
LAST_MINUTES = 10
"""How long somebody may take to sign in there."""


@frozen
class Attempt:
    """What has to be remembered until the browser comes back."""

    issuer: str
    client_id: str
    redirect_uri: str
    wanted: str
    """The page to go to afterwards, empty for the usual one."""
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)

    @classmethod
    def begin(cls, issuer: str, client_id: str, redirect_uri: str, wanted: str) -> Attempt:
        """Return a new one, with secrets of its own."""
        return cls(issuer, client_id, redirect_uri, wanted, random_token(SECRET_LENGTH), random_token(SECRET_LENGTH))

    @property
    def challenge(self) -> str:
        """Return what is told of the verifier at first (RFC 7636, 4.2)."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        return urlsafe_b64encode(digest).rstrip(b"=").decode()

    def url(self, provider: Provider, state: str, language: str) -> str:
        """Return where the browser goes to sign in."""
        return with_parameters(
            provider.authorization_endpoint,
            {
                "response_type": "code",
                "client_id": self.client_id,
                "redirect_uri": self.redirect_uri,
                "scope": "openid email profile",
                "state": state,
                "nonce": self.nonce,
                "code_challenge": self.challenge,
                "code_challenge_method": "S256",
                "ui_locales": language,
            },
        )


@frozen
class Returned:
    """What a browser brings back from the server, as it came: anybody may have written it."""

    state: str = field(repr=False)
    code: str | None = field(repr=False)
    issuer: str | None
    error: str | None
    error_description: str | None
