"""Every mail that there is, written as it would be for some Space."""

from __future__ import annotations

import base64
import re
import struct
import zlib
from datetime import UTC, datetime
from email import message_from_bytes, policy
from typing import Any

from support.mail import ReadMail

from flexid.base.languages import Languages
from flexid.base.public import PublicAddress
from flexid.base.shipped import TEMPLATES
from flexid.base.templates import Templates
from flexid.domain.logos import Logo
from flexid.domain.mail import Mail
from flexid.domain.space import DigestConfiguration, Space
from flexid.services.letters import LetterWriter

WRITTEN_AT = datetime(2026, 8, 20, 9, 28, 37, tzinfo=UTC)
ACCOUNT = "alice.martin@sip.example.org"
LINK = "https://sip.example.org/wizard/aB3dE6gH"
VALUES: dict[str, dict[str, Any]] = {
    "email_validation": {"account": ACCOUNT, "code": "4711", "minutes": 10},
    "newsletter_registration": {"email": "lea.fontaine@example.com"},
    "provisioning": {"account": ACCOUNT, "link": LINK},
    "recovery_code": {"accounts": [ACCOUNT, "reception@sip.example.org"], "code": "4711", "minutes": 10},
    "registration_validation": {"account": ACCOUNT, "code": "4711", "minutes": 10},
    "reset_password": {
        "account": ACCOUNT,
        "link": "https://sip.example.org/reset_password/aB3dE6gHiJ9lMn2p",
        "minutes": 1440,
    },
    "space_expiring": {
        "days_left": 3,
        "expire_at": "2026-08-23T00:00:00.000000Z",
        "link": "https://sip.example.org/admin/spaces/sip.example.org",
    },
    "test": {"asker": "camille.roux@example.org"},
    "voicemail": {
        "account": ACCOUNT,
        "caller": "sip:+33612345678@sip.example.org",
        "link": "https://sip.example.org/files/2f1c7d0e-5a1b-4f0e-9a55-0c7c3f6a6c11/voicemail.wav",
    },
    "webhook_disabled": {
        "url": "https://crm.example.com/hooks/flexid",
        "reason": "It did not answer in time",
        "status": None,
        "path": "/admin/webhooks/3",
    },
}
"""What each mail shows, by the folder of its templates."""
QR = {"provisioning": "https://sip.example.org/provisioning/aB3dE6gHiJ9lM"}


def every() -> list[str]:
    """Return the names of all mails."""
    return sorted(path.name for path in (TEMPLATES / "mail").iterdir() if path.is_dir())


def space(**changes: Any) -> Space:
    """Return a Space with a signature of its own."""
    fields: dict[str, Any] = {name.name: None for name in Space.__attrs_attrs__}
    return Space(
        **{
            **fields,
            "id": 1,
            "domain": "sip.example.org",
            "host": "sip.example.org",
            "name": "Example Telecom",
            "theme_hue": 22,
            "digest": DigestConfiguration("sip.example.org"),
            "email_server": {"signature": "Your team at Example Telecom\n+33 4 76 00 00 00"},
            "carddav_servers": (),
            **changes,
        }
    )


def logo() -> Logo:
    """Return a picture, 160 by 48, of two bars."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    rows = b"".join(
        b"\0" + b"".join(b"\x1e\x3b\x61" if x < 40 or 12 <= y < 36 else b"\xff\xff\xff" for x in range(160))
        for y in range(48)
    )
    parts = (b"IHDR", struct.pack(">IIBBBBB", 160, 48, 8, 2, 0, 0, 0)), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")
    return Logo("logo.png", "image/png", b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts))


def written(name: str, language: str, of: Space, picture: Logo | None = None, **changes: Any) -> ReadMail:
    """Return a mail as it is read."""
    writer = LetterWriter(Templates(Languages()), PublicAddress("https", 443), "")
    mail = Mail(name, "alice@example.org", language, {**VALUES[name], **changes}, QR.get(name))
    letter = writer.write(mail, of, "20260820T092837-1", WRITTEN_AT, picture)
    return ReadMail(message_from_bytes(letter.content, policy=policy.default))


def shown(mail: ReadMail) -> str:
    """Return the HTML of a mail with its pictures in it, as a browser can show it."""
    html = mail.html
    for part in mail.message.walk():
        if part.get_content_maintype() == "image":
            data = base64.b64encode(part.get_payload(decode=True)).decode()  # type: ignore[arg-type]  # bytes of one part
            html = html.replace(
                f"cid:{part['Content-ID'].strip('<>')}", f"data:{part.get_content_type()};base64,{data}"
            )
    assert not re.search("cid:", html)
    return html
