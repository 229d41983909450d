"""Writes mails: from templates, in a language, as plain text and as HTML."""

from __future__ import annotations

from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as OF_SERVERS
from email.utils import format_datetime
from typing import Any

from attrs import frozen

from flexid.base import colours, qr
from flexid.base.public import PublicAddress
from flexid.base.templates import Templates
from flexid.domain.logos import Logo
from flexid.domain.mail import Letter, Mail
from flexid.domain.space import Space

LOCAL_PART = "no-reply"
SMTP = OF_SERVERS.clone(cte_type="7bit")
"""Not every server passes more than seven bits on (RFC 6152)."""
PNG = "image/png"
LARGEST_LOGO = 100_000
"""Bytes of a picture that goes with every mail; a larger one would weigh more than all the rest of it."""


@frozen
class LetterWriter:
    """Writes for all Spaces; each signs with its own name.

    Drawing QR codes and reading templates takes its time: `write` is for threads.
    """

    templates: Templates
    public: PublicAddress
    from_address: str

    def write(self, mail: Mail, space: Space, reference: str, written_at: datetime, logo: Logo | None = None) -> Letter:
        """Return a mail as a server takes it; a logo goes with it if programs that read mail show such."""
        shown = logo if logo and logo.content_type == PNG and len(logo.content) <= LARGEST_LOGO else None
        server = space.email_server or {}
        values = {
            **mail.values,
            "space": space,
            "home": self.public.base_url(space.host),
            "signature": server.get("signature") or space.name,
            "colours": colours.of_hue(space.theme_hue),
            "has_qr": mail.qr is not None,
            "has_logo": shown is not None,
        }

        def rendered(part: str, **more: str) -> str:
            return self.templates.render(f"mail/{mail.name}/{part}", mail.language, **values, **more)

        subject = _line(rendered("subject.txt"))
        sender = server.get("from_address") or self.from_address or f"{LOCAL_PART}@{space.domain}"
        message = EmailMessage(policy=SMTP)
        message["From"] = Address(_line(server.get("from_name") or space.name), addr_spec=sender)
        message["To"] = mail.to
        message["Subject"] = subject
        message["Date"] = format_datetime(written_at)
        message["Message-ID"] = f"<{reference}@{space.domain}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(rendered("body.txt", subject=subject))
        message.add_alternative(rendered("body.html", subject=subject), subtype="html")
        html: Any = message.get_body(("html",))
        if shown:
            html.add_related(shown.content, "image", "png", cid="<logo>", filename="logo.png", disposition="inline")
        if mail.qr is not None:
            html.add_related(qr.png(mail.qr), "image", "png", cid="<qr>", filename="qr.png", disposition="inline")
        message["Content-Language"] = mail.language
        return Letter(reference, sender, mail.to, message.as_bytes())


def _line(text: str) -> str:
    """Return a text without what would begin another header."""
    return " ".join(text.split())
