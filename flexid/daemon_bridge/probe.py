"""A short look at linphone-daemon's socket, for whoever wonders why no message goes out."""

from __future__ import annotations

import errno
from typing import Any, Literal

from attrs import frozen
from twisted.internet.endpoints import UNIXClientEndpoint, connectProtocol
from twisted.internet.error import ConnectError

from flexid.daemon_bridge.answers import Refused
from flexid.daemon_bridge.bridge import CONNECT_SECONDS
from flexid.daemon_bridge.commands import version
from flexid.daemon_bridge.protocol import AnswerLost, DaemonProtocol, NotWritten

Seen = Literal["answers", "busy", "mute", "missing", "dead", "forbidden", "unreachable"]
_BY_ERROR: dict[int | None, Seen] = {
    errno.ENOENT: "missing",
    errno.ECONNREFUSED: "dead",
    errno.EACCES: "forbidden",
    errno.EPERM: "forbidden",
}


@frozen
class Look:
    """What was seen, with the daemon's release or the reason."""

    seen: Seen
    detail: str = ""


async def probe(reactor: Any, path: str) -> Look:
    """Connect, ask the daemon which release it is, and leave; whoever is connected already is not disturbed."""
    protocol = DaemonProtocol(reactor)
    try:
        await connectProtocol(UNIXClientEndpoint(reactor, path, timeout=CONNECT_SECONDS), protocol)
    except ConnectError as error:
        return Look(_BY_ERROR.get(error.osError, "unreachable"), str(error))
    try:
        return Look("answers", (await protocol.command(version()))[1])
    except (AnswerLost, NotWritten, Refused) as error:
        return Look("busy" if protocol.was_turned_away else "mute", str(error))
    finally:
        protocol.drop("looked long enough")
