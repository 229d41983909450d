"""What linphone-daemon is told: one line each, made of values of ours and never of somebody's text."""

from __future__ import annotations

import re

from attrs import field, frozen

from flexid.domain.message import MOST_BYTES, is_one_line
from flexid.domain.sip_address import SipAddress, parse

MOST_BYTES_OF_COMMAND = 32_000
"""The daemon takes what exceeds 32,768 bytes for a second command."""


@frozen
class Command:
    """A line, and what its whole answer looks like where it is no error: answers have no end mark."""

    line: str = field(repr=False)
    answer: re.Pattern[str]

    def wire(self) -> bytes:
        """Return what is written, in one piece.

        :raise ValueError: it would be more than one command.
        """
        written = f"{self.line}\n".encode()
        if not is_one_line(self.line) or len(written) > MOST_BYTES_OF_COMMAND:
            raise ValueError("a command is one line that the daemon reads in one piece")
        return written


VERSION = re.compile(r"Status: Ok\n\nVersion: ([^\n]+)\n+")
MESSAGE = re.compile(r"Status: Ok\n\nId: ([^\n]+)\n\n")
EVENT = re.compile(
    r"""Status:\ Ok\n\nSize:\ (?P<waiting>[0-9]+)\n
    (?:(?P<none>\n)
    |Event-type:\ message-state-changed\n\nId:\ (?P<id>[^\n]+)\nState:\ (?P<state>[^\n]+)\n\n\n\n
    |Event-type:\ (?P<received>message-received)\n\n.*"\n\n\n\n
    |Event-type:\ (?!message-)[^\n]+\n\n.*\n\n\n)""",
    re.DOTALL | re.VERBOSE,
)


def version() -> Command:
    """Ask which release it is."""
    return Command("version", VERSION)


def pop_event() -> Command:
    """Ask for the oldest event, which is then gone."""
    return Command("pop-event", EVENT)


def message(recipient: SipAddress, text: str) -> Command:
    """Let it send a SIP MESSAGE.

    :raise ValueError: such a message could crash the daemon, or reach somebody else.
    """
    if parse(str(recipient)) != recipient or not text or len(text.encode()) > MOST_BYTES:
        raise ValueError("no message that linphone-daemon sends as it is")
    return Command(f"message {recipient.uri} {text}", MESSAGE)
