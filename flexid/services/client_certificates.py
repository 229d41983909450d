"""Signing in by a certificate that TLS has verified."""

from __future__ import annotations

from attrs import frozen

from flexid.base.text import Text
from flexid.domain.account import Actor
from flexid.domain.errors import Forbidden
from flexid.domain.sip_address import SipAddress
from flexid.domain.space import Space
from flexid.store import certificate_accounts
from flexid.store.database import Database


@frozen
class ClientCertificates:
    """Finds the account that a certificate names."""

    database: Database

    async def identify(self, space: Space, address: SipAddress | None) -> Actor:
        """Return the account of this Space whose address the certificate holds; None = it holds none.

        :raise Forbidden: the Space wants no certificates, or has no such account.
        """
        if not space.client_certificate_authentication:
            raise Forbidden(Text("This Space has no client certificate authentication"))
        # Whether a name exists elsewhere is nobody's business here, a super administrator's neither: what a Space
        # switches on is to reach its own accounts only.
        if address is not None and address.domain == space.domain:
            actor = await certificate_accounts.find(self.database, address.username, address.domain)
            if actor is not None:
                return actor
        raise Forbidden(Text("The client certificate belongs to no account of this Space"))
