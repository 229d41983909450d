"""Wizards: links that set an account up in Linphone, let it do something, or both."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import quote, urlencode

from attrs import frozen

from flexid.domain import sip_address

ACTIONS = ("call", "show", "bye", "accept", "decline")
TOKEN_LENGTH = 8
# What may stand in a username and would begin something else in this URI stays encoded.
_KEPT_IN_USERNAME = "!$'()*+,;=~"


@frozen
class Intent:
    """What Linphone is to do: `sip` is an address with or without `sip:`, one that it is to call for instance."""

    sip: str | None = None
    action: str | None = None
    use_sips: bool | None = None

    @property
    def address(self) -> str | None:
        """Return the address without its scheme, None if there is none."""
        parsed = sip_address.parse(self.sip) if self.sip else None
        return str(parsed) if parsed else None

    def link(self, fetch_config: str | None = None) -> str:
        """Return the URI that opens Linphone; `fetch_config` is where it gets an account."""
        parsed = sip_address.parse(self.sip) if self.sip else None
        address = f"{quote(parsed.username, safe=_KEPT_IN_USERNAME)}@{parsed.domain}" if parsed else ""
        parameters = {
            "linphone-fetch-config": fetch_config,
            "linphone-action": self.action,
            "linphone-use-sips": "1" if self.use_sips else None,
        }
        query = urlencode({name: value for name, value in parameters.items() if value}, quote_via=quote, safe="")
        return f"sip-linphone:{address}{'?' if query else ''}{query}"


@frozen
class Wizard:
    """A link, as whoever made it sees it."""

    token: str
    provisioning_account_id: int | None
    intent: Intent
    used_at: datetime | None


@frozen
class OpenWizard:
    """What a link still offers: an account by its provisioning token, or only an intent, which a press uses up."""

    intent: Intent
    provisioning_token: str | None = None
    account: sip_address.SipAddress | None = None
