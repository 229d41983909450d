"""Credentials for a TURN server that shares a secret with us ("A REST API for access to TURN services")."""

from __future__ import annotations

import hmac
from base64 import b64encode

from attrs import field, frozen


@frozen
class TurnCredentials:
    """What a client signs in to the TURN server with for `ttl` seconds."""

    username: str
    password: str = field(repr=False)
    ttl: int
    uris: tuple[str, ...]


def credentials(host: str, secret: str, expires_at: int, ttl: int, nonce: str) -> TurnCredentials:
    """Return credentials that hold until `expires_at`, in seconds since 1970; the nonce makes them their own."""
    username = f"{expires_at}:{nonce}"
    # The servers check HMAC-SHA1 and nothing else.
    password = b64encode(hmac.digest(secret.encode(), username.encode(), "sha1")).decode()
    return TurnCredentials(username, password, ttl, (f"turn:{host}",))
