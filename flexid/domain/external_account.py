"""External accounts: by which an account is also reached through another operator, by way of Flexisip's B2BUA."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

from flexid.base.text import Text

PROTOCOLS = ("UDP", "TCP", "TLS")
ALGORITHM = "MD5"
"""How its password is hashed, as the B2BUA reads it."""


@frozen
class ExternalSettings:
    """How to register with the other operator; the domain is a name in lower case, or an IP address."""

    username: str
    domain: str
    realm: str | None
    registrar: str | None
    outbound_proxy: str | None
    protocol: str

    @property
    def hashed_realm(self) -> str:
        """Return the realm that the stored hash holds for."""
        return self.realm or self.domain

    @property
    def hashed(self) -> tuple[str, str, str | None]:
        """Return what makes a stored hash worthless when it changes."""
        return self.username, self.domain, self.realm


@frozen
class ExternalAccount(ExternalSettings):
    """The external account of an account, without its hash."""

    id: int
    account_id: int
    algorithm: str
    created_at: datetime
    updated_at: datetime


def repeated(domain: str, realm: str | None, registrar: str | None, outbound_proxy: str | None) -> dict[str, Text]:
    """Return which of these only repeat the domain, which they stand for where they are absent."""
    others = {
        "realm": realm == domain,
        "registrar": registrar is not None and registrar.lower() == domain,
        "outbound_proxy": outbound_proxy is not None and outbound_proxy.lower() == domain,
    }
    reason = Text("It must differ from the domain")
    return {field: reason for field, is_same in others.items() if is_same}
