"""ID tokens (OpenID Connect Core 1.0, 2): what a server says of somebody who has just signed in there."""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import frozen

from flexid.domain.bearer import InvalidToken, moment, verified_email
from flexid.domain.oidc_attempt import Attempt

SKEW_SECONDS = 60
"""How far the clock of a server may go before ours."""
LONGEST_AGE_SECONDS = 600
"""A token that answers a sign-in of ours was made after that began."""


@frozen
class Identity:
    """Who signed in: by the server's own name, and as far as accounts are found by it."""

    subject: str
    email: str | None
    """None also where the server says that it has not verified it."""
    roles: frozenset[str]


def read(claims: Mapping[str, Any], attempt: Attempt, now: datetime) -> Identity:
    """Return whom the claims of an ID token name; its signature is verified elsewhere (Core, 3.1.3.7).

    :raise InvalidToken: it is not the answer to this sign-in.
    """
    _check(claims, attempt.issuer, now)
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not hmac.compare_digest(
        nonce.encode("utf-8", "surrogatepass"), attempt.nonce.encode()
    ):
        raise InvalidToken("the nonce is another")
    made_at = moment(claims, "iat")
    if not now.timestamp() - LONGEST_AGE_SECONDS <= made_at <= now.timestamp() + SKEW_SECONDS:
        raise InvalidToken("made at another time")
    audience = claims.get("aud")
    audiences = [audience] if isinstance(audience, str) else audience
    if not isinstance(audiences, list) or attempt.client_id not in audiences:
        raise InvalidToken("for another audience")
    if claims.get("azp", None if len(audiences) > 1 else attempt.client_id) != attempt.client_id:
        raise InvalidToken("issued to another client")
    return Identity(claims["sub"], verified_email(claims), roles_of(claims))


def roles_in_access_token(
    claims: Mapping[str, Any], identity: Identity, attempt: Attempt, now: datetime
) -> frozenset[str]:
    """Return the roles of a verified access token for the same person and client: Keycloak writes them there only.

    :raise InvalidToken: it is for another one, or from another server, or over.
    """
    _check(claims, attempt.issuer, now)
    if claims["sub"] != identity.subject or claims.get("azp") != attempt.client_id:
        raise InvalidToken("for somebody else")
    return roles_of(claims)


def roles_of(claims: Mapping[str, Any]) -> frozenset[str]:
    """Return the roles in a realm, as Keycloak writes them: none where nothing of the kind is there."""
    access = claims.get("realm_access")
    roles = access.get("roles") if isinstance(access, Mapping) else None
    return frozenset(role for role in roles if isinstance(role, str)) if isinstance(roles, list) else frozenset()


def check_hash(claims: Mapping[str, Any], access_token: str | None, algorithm: str) -> None:
    """Compare the access token with the ID token, where that tells (Core, 3.1.3.6); `algorithm` signed the latter.

    :raise InvalidToken: they do not belong together.
    """
    told = claims.get("at_hash")
    if told is None:
        return
    digest = hashlib.new(f"sha{algorithm[-3:]}", (access_token or "").encode()).digest()
    expected = urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()
    if not isinstance(told, str) or not hmac.compare_digest(told.encode("utf-8", "surrogatepass"), expected.encode()):
        raise InvalidToken("with another access token")


def _check(claims: Mapping[str, Any], issuer: str, now: datetime) -> None:
    if claims.get("iss") != issuer:
        raise InvalidToken("of another issuer")
    if not isinstance(claims.get("sub"), str) or not claims["sub"]:
        raise InvalidToken("about nobody")
    if not moment(claims, "exp") > now.timestamp():
        raise InvalidToken("expired")
    if claims.get("nbf") is not None and not moment(claims, "nbf") <= now.timestamp() + SKEW_SECONDS:
        raise InvalidToken("not valid yet")
