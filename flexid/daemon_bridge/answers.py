"""What linphone-daemon answers."""

from __future__ import annotations

import re
from typing import Literal

from attrs import frozen

from flexid.daemon_bridge.commands import Command

ERROR = re.compile(r"Status: Error\nReason: ([^\n]*)\n")
BEGINNINGS = ("Status: Ok\n", "Status: Error\nReason: ")
MOST_BYTES_OF_ANSWER = 1 << 20
FINAL: dict[str, Final] = {
    "LinphoneChatMessageStateDelivered": "delivered",
    "LinphoneChatMessageStateNotDelivered": "not_delivered",
}

Final = Literal["delivered", "not_delivered"]


class Refused(Exception):  # noqa: N818  # read as a sentence
    """The daemon refused a command, with this reason."""


class Garbled(Exception):  # noqa: N818  # as above
    """No answer to the command: whatever comes next could not be told apart any more."""


@frozen
class Event:
    """Something that has happened: a message of ours reached its end, or somebody wrote to us."""

    call_id: str | None = None
    final: Final | None = None
    received: bool = False


@frozen
class Popped:
    """One event, None if it does not concern us, and how many wait behind it; `empty` if there was none at all."""

    event: Event | None
    waiting: int
    empty: bool = False


def complete(command: Command, data: bytes) -> re.Match[str] | None:
    """Return the answer to a command once all of it has come, None before.

    :raise Refused: the daemon refuses the command.
    :raise Garbled: this never becomes an answer.
    """
    text = data.decode(errors="replace")
    if error := ERROR.fullmatch(text):
        raise Refused(error[1])
    if match := command.answer.fullmatch(text):
        return match
    if len(data) > MOST_BYTES_OF_ANSWER or not any(_agree(text, beginning) for beginning in BEGINNINGS):
        raise Garbled("the daemon says what is no answer")
    return None


def popped(match: re.Match[str]) -> Popped:
    """Return what the answer to `pop_event` tells."""
    waiting = int(match["waiting"])
    if match["id"]:
        return Popped(Event(match["id"], FINAL.get(match["state"])), waiting)
    if match["received"]:
        return Popped(Event(received=True), waiting)
    return Popped(None, waiting, empty=match["none"] is not None)


def _agree(text: str, beginning: str) -> bool:
    return text.startswith(beginning) or beginning.startswith(text)
