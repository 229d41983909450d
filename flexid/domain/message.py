"""SIP messages that we send: whom to, what, and what has become of them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Literal
from uuid import UUID

from attrs import field, frozen

from flexid.base.text import Text
from flexid.domain.sip_address import SipAddress, parse

MOST_BYTES = 15_000
"""Of a text in UTF-8. Longer ones leave linphone-daemon in datagrams that nobody can read."""
LINE_SEPARATOR = "\u2028"
"""Stands for the end of a line, which linphone-daemon cannot be told."""

State = Literal["queued", "in_progress", "delivered", "not_delivered", "unknown", "expired"]
Newlines = Literal["line-separator", "refuse"]
DaemonState = Literal["connecting", "connected", "busy", "away"]

_NEWLINE = re.compile(r"\r\n|\r|\n")

NOT_ALLOWED = Text("It contains characters that are not allowed")
NO_NEWLINES = Text("It must be a single line")


class Unsendable(ValueError):  # noqa: N818  # read as a sentence
    """A text that no message can carry; `reason` may be shown."""

    def __init__(self, reason: Text) -> None:
        super().__init__(str(reason))
        self.reason = reason


@frozen
class Outgoing:
    """A message to send. `lifetime` in seconds is how long it may wait; None for who waits for its answer."""

    recipient: SipAddress
    text: str = field(repr=False)
    lifetime: int | None = None

    @property
    def may_wait(self) -> bool:
        """Say whether it is kept where it cannot be sent at once."""
        return self.lifetime is not None


@frozen
class Message:
    """A message that was accepted; `call_id` is its SIP Call-ID, once the daemon has taken it."""

    id: UUID
    call_id: str | None
    recipient: str
    state: State
    error: str | None
    created_at: datetime
    sent_at: datetime | None
    delivered_at: datetime | None


@frozen
class Claimed:
    """A message that is to be sent now, by nobody but who got this."""

    id: UUID
    domain: str
    recipient: SipAddress
    text: str = field(repr=False)
    claimed_at: datetime


@frozen
class DaemonReport:
    """How the process that owns a daemon's socket finds it; `error` is for operators."""

    state: DaemonState
    since: datetime
    error: str | None = None


UNREACHABLE: Mapping[DaemonState | None, Text] = {
    "busy": Text("Another program is connected to the SIP daemon"),
    "away": Text("The SIP daemon does not answer"),
    "connecting": Text("The SIP daemon does not answer"),
    None: Text("No process is connected to the SIP daemon"),
}
"""Why nothing can be sent at the moment, by the daemon's state; None if no process looks after it."""
TOO_MANY = Text("Too many messages wait to be sent")


def recipient(text: str) -> SipAddress | None:
    """Return whom a message is for, named by `user@host`, `sip:user@host` or `sips:user@host`; None if nobody is.

    Anything beyond that could make linphone-daemon write to somebody else.
    """
    if text[:5].lower() == "sips:":
        text = "sip:" + text[5:]
    return parse(text)


def readable(text: str, newlines: Newlines, most_bytes: int = MOST_BYTES) -> str:
    """Return a text as one line that linphone-daemon sends as it is.

    :raise Unsendable: it is too long, or holds what cannot be sent.
    """
    if newlines == "refuse" and _NEWLINE.search(text):
        raise Unsendable(NO_NEWLINES)
    text = _NEWLINE.sub(LINE_SEPARATOR, text)
    if not is_one_line(text):
        raise Unsendable(NOT_ALLOWED)
    if len(text.encode()) > most_bytes:
        raise Unsendable(Text("It may not be longer than {bytes} bytes", bytes=most_bytes))
    return text


def is_one_line(text: str) -> bool:
    """Say whether a text is free of what would end it, or a command, early: control characters, but for tabs."""
    return not any(unicodedata.category(letter) in {"Cc", "Cs"} and letter != "\t" for letter in text)
