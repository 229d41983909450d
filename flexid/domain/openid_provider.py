"""What an OpenID server says of itself (OpenID Connect Discovery 1.0), and where it sends browsers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from attrs import frozen

from flexid.base.text import Text
from flexid.domain import unanswered, urls
from flexid.domain.unanswered import Unanswered

BY_HEADER, BY_FORM = "client_secret_basic", "client_secret_post"  # names of methods


@frozen
class Provider:
    """An OpenID server as far as sign-ins need it; all addresses are whole URLs."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    end_session_endpoint: str | None = None
    takes_secret_in_header: bool = True
    names_itself: bool = False
    """Whether its answers say of whom they are, so that they cannot be taken for another server's (RFC 9207)."""

    @classmethod
    def read(cls, document: Any, issuer: str) -> Provider:
        """Return what the document of a server says.

        :raise Unanswered: it is another server's, or something is missing or no address.
        """
        if not isinstance(document, Mapping):
            raise Unanswered(unanswered.UNREADABLE)
        if document.get("issuer") != issuer:
            raise Unanswered(Text("It does not call itself {name}", name=issuer))
        methods = document.get("token_endpoint_auth_methods_supported", [BY_HEADER])
        if not isinstance(methods, list):
            raise Unanswered(unanswered.UNREADABLE)
        has_end = document.get("end_session_endpoint") is not None
        return cls(
            issuer,
            _address(document, "authorization_endpoint", issuer),
            _address(document, "token_endpoint", issuer),
            _address(document, "jwks_uri", issuer),
            _address(document, "end_session_endpoint", issuer) if has_end else None,
            BY_HEADER in methods or BY_FORM not in methods,
            document.get("authorization_response_iss_parameter_supported") is True,
        )


def with_parameters(url: str, parameters: Mapping[str, str]) -> str:
    """Return a URL with further parameters in its query."""
    return f"{url}{'&' if '?' in url else '?'}{urlencode(parameters)}"


def _address(document: Mapping[str, Any], name: str, issuer: str) -> str:
    value = document.get(name)
    if not isinstance(value, str) or not urls.is_http(value) or "#" in value:
        raise Unanswered(Text("It tells no address for {name}", name=name))
    if issuer.startswith("https:") and not value.startswith("https:"):
        raise Unanswered(Text("Its address for {name} is not https", name=name))
    return value
