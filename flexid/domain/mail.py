"""Mails, before and after they are written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import asdict, field, frozen

from flexid.domain.outbox import Outgoing


@frozen
class Mail:
    """A mail to be written: the folder of its templates in `templates/mail`, and what these show.

    `qr` is a text that the mail shows as a QR code.
    """

    name: str
    to: str
    language: str
    values: Mapping[str, Any] = field(repr=False)
    qr: str | None = field(default=None, repr=False)

    def outgoing(self, domain: str) -> Outgoing:
        """Return what goes into the outbox of the Space that sends it."""
        return Outgoing("mail", asdict(self), domain)


@frozen
class Letter:
    """A mail, written (RFC 5322). `reference` tells it from all others, and is the same when it is sent again."""

    reference: str
    sender: str
    recipient: str
    content: bytes = field(repr=False)
