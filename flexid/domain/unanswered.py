"""Why another server gave no answer, or none that will do: kept in English, read in every language."""

from __future__ import annotations

import re

from flexid.base.text import Text

NOT_PUBLIC = Text("Its address is not one of the public Internet")
UNKNOWN_NAME = Text("Its name leads to no address")
REFUSED = Text("It accepts no connections")
UNREACHABLE = Text("It cannot be reached")
LATE = Text("It did not answer in time")
UNTRUSTED = Text("Its certificate cannot be trusted")
BROKEN = Text("It closed the connection before its answer was complete")
TOO_MUCH = Text("Its answer was too long")
UNREADABLE = Text("Its answer cannot be read")
SWITCHED_OFF = Text("The webhook was switched off")

_ALL = (NOT_PUBLIC, UNKNOWN_NAME, REFUSED, UNREACHABLE, LATE, UNTRUSTED, BROKEN, TOO_MUCH, SWITCHED_OFF)
_BY_ENGLISH = {str(reason): reason for reason in _ALL}
_STATUS = re.compile(r"It answered with the status (\d+)")


class Unanswered(Exception):  # noqa: N818  # read as a sentence
    """Another server gave no answer; `reason` may be shown to who named the server."""

    def __init__(self, reason: Text) -> None:
        super().__init__(str(reason))
        self.reason = reason


def of_status(status: int) -> Text:
    """Return why an answer will not do."""
    return Text("It answered with the status {status}", status=status)


def status_in(english: str) -> int | None:
    """Return the status in a reason that was kept, if it is about one."""
    found = _STATUS.fullmatch(english)
    return int(found[1]) if found else None


def read(english: str) -> Text:
    """Return a reason that was kept, so that it can be translated; others as they are."""
    if (status := status_in(english)) is not None:
        return of_status(status)
    return _BY_ENGLISH.get(english) or Text(english)
