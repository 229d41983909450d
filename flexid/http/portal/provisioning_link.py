"""The code that a phone scans to set up an account."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from attrs import frozen
from twisted.internet.threads import deferToThread

from flexid.base import qr
from flexid.domain.account import Account
from flexid.domain.errors import NotFound
from flexid.http.answers import Answer
from flexid.http.call import Call


@frozen
class ProvisioningLink:
    """Where a phone finds an account, and until when."""

    url: str
    expires_at: datetime | None


async def link_of(call: Call[Any], account: Account) -> ProvisioningLink | None:
    """Return the link of an account's current token; None if that was used, or is too old."""
    minutes = call.settings.lifetimes.provisioning_token
    made_at = account.provisioning_token_made_at
    expires_at = made_at + timedelta(minutes=minutes) if minutes and made_at else None
    if account.provisioning_token is None or (expires_at and expires_at <= call.services.clock.now()):
        return None
    base_url = await base_url_of(call, account.domain)
    return ProvisioningLink(f"{base_url}/provisioning/{account.provisioning_token}", expires_at)


async def qr_of(call: Call[Any], account: Account) -> Answer:
    """Return the link of an account as a picture.

    :raise NotFound: it has none at the moment.
    """
    link = await link_of(call, account)
    if link is None:
        raise NotFound
    return await qr_picture(link.url)


async def qr_picture(text: str) -> Answer:
    """Return the answer that draws a QR code."""
    return Answer(await deferToThread(qr.svg, text), "image/svg+xml", headers={"Cache-Control": "no-store"})


async def base_url_of(call: Call[Any], domain: str) -> str:
    """Return where the Space of a domain is served: a token works on its own Space's host only."""
    known = call.known if domain == call.space.domain else await call.services.directory.by_domain(domain)
    return call.peer.base_url_of(known.space.host) if known else call.peer.base_url
