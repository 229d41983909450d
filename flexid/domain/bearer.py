"""Bearer tokens (RFC 8898): JWTs (RFC 7519) in which an OpenID server vouches for an account of one Space."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import frozen

from flexid.domain.sip_address import SipAddress, parse
from flexid.domain.space import Space

ALGORITHMS = ("RS256", "RS384", "RS512")
"""Signatures that count (RFC 7518, 3.3)."""


class InvalidToken(Exception):  # noqa: N818  # the error of RFC 6750
    """A token that counts for nothing; its text is the `error_description` of RFC 6750, for those who write clients."""


@frozen
class VerificationKey:
    """A public RSA key, the name under which it is published, and the signatures that it may be used for."""

    kid: str | None
    key: Any
    algorithms: tuple[str, ...] = ALGORITHMS


@frozen
class Claimed:
    """Whom a token names: one of the two, or nobody."""

    address: SipAddress | None = None
    email: str | None = None


@frozen
class Issuer:
    """The OpenID server of a Space, as far as tokens are concerned; `public_key` in PEM, None = it publishes keys."""

    server_url: str
    realm: str
    sip_identifier: str
    client_id: str | None
    public_key: str | None

    @classmethod
    def of(cls, space: Space) -> Issuer | None:
        """Return who vouches for the accounts of a Space; None if nobody does."""
        if space.oidc is None:
            return None
        return cls(**{name.name: space.oidc[name.name] for name in cls.__attrs_attrs__})

    @property
    def url(self) -> str:
        """Return what its tokens call it (`iss`)."""
        return f"{self.server_url}realms/{self.realm}"

    @property
    def keys_url(self) -> str:
        """Return where a Keycloak server publishes its keys (RFC 7517)."""
        return f"{self.url}/protocol/openid-connect/certs"

    def challenge(self) -> str:
        """Return the value of `WWW-Authenticate` that asks for a token."""
        return f"Bearer authz_server={_quoted(self.url)},realm={_quoted(self.realm)}"

    def refusal(self, reason: InvalidToken) -> str:
        """Return the value of `WWW-Authenticate` that says what is wrong with a token (RFC 6750, 3)."""
        return f'{self.challenge()}, error="invalid_token", error_description={_quoted(str(reason))}'

    def read(self, claims: Mapping[str, Any], now: datetime) -> Claimed:
        """Return whom the claims of a token name; its signature is verified elsewhere.

        :raise InvalidToken: it is over, not yet valid, of another issuer or for others, or the address is none.
        """
        if not moment(claims, "exp") > now.timestamp():
            raise InvalidToken("Expired JWT token")
        if claims.get("nbf") is not None and not moment(claims, "nbf") <= now.timestamp():
            raise InvalidToken("JWT token is not valid yet")
        if claims.get("iss") != self.url:
            raise InvalidToken("JWT token of another issuer")
        if self.client_id and not _is_for(self.client_id, claims):
            raise InvalidToken("JWT token for another audience")
        if (identity := claims.get(self.sip_identifier)) is not None:
            return Claimed(address=_address(identity))
        return Claimed(email=verified_email(claims))


def verified_email(claims: Mapping[str, Any]) -> str | None:
    """Return the email address that a token names, unless its server says that it has not verified it."""
    email = claims.get("email")
    # Some servers write their booleans as words.
    is_verified = str(claims.get("email_verified")).lower() != "false"
    return email if isinstance(email, str) and email.isprintable() and is_verified else None


def moment(claims: Mapping[str, Any], name: str) -> float:
    """Return a claim that is a time, in seconds since 1970.

    :raise InvalidToken: it is absent, or no number.
    """
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidToken(f"JWT token without a {name} claim that is a number")
    return value


def _is_for(client_id: str, claims: Mapping[str, Any]) -> bool:
    """Say whether a client is among those that a token is for, or was issued to; a token need not name any."""
    audience = claims.get("aud") or []
    names = [audience] if isinstance(audience, str) else audience
    if not isinstance(names, list):
        raise InvalidToken("JWT token whose audience cannot be read")
    named = [*names, *filter(None, [claims.get("azp")])]
    return not named or client_id in named


def _address(identity: Any) -> SipAddress:
    is_uri = isinstance(identity, str) and identity[:4].lower() == "sip:"
    address = parse(identity, parameters=True) if is_uri else None
    if address is None:
        raise InvalidToken("JWT token whose SIP identity is no SIP URI")
    return address


def _quoted(text: str) -> str:
    """Return a quoted string (RFC 9110, 5.6.4)."""
    return '"{}"'.format(text.replace("\\", "\\\\").replace('"', '\\"'))
