"""What was delivered into files, read as its receivers read it."""

from __future__ import annotations

import re
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from attrs import frozen


@frozen
class ReadMail:
    """A mail in its parts."""

    message: EmailMessage

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])

    @property
    def text(self) -> str:
        return self._body("plain")

    @property
    def html(self) -> str:
        return self._body("html")

    @property
    def links(self) -> list[str]:
        """All addresses of pages in the plain text."""
        return re.findall(r"https?://\S+", self.text)

    def picture(self) -> bytes:
        """Return the picture that the HTML shows inline."""
        (picture,) = (part for part in self.message.walk() if part.get_content_type() == "image/png")
        assert f"cid:{picture['Content-ID'].strip('<>')}" in self.html
        content: bytes = picture.get_content()
        return content

    def _body(self, kind: Any) -> str:
        part = self.message.get_body((kind,))
        assert part is not None
        content: str = part.get_content()
        return content.replace("\r\n", "\n")


def mails(folder: Path) -> list[ReadMail]:
    """Return the mails in a folder, the oldest first."""
    found = sorted((path for path in folder.glob("*.eml")), key=lambda path: int(path.stem.rpartition("-")[2]))
    return [ReadMail(message_from_bytes(path.read_bytes(), policy=policy.default)) for path in found]
