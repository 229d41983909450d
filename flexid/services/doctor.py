"""What is not well with what flexid needs, and what to do about it; in English, for the operator's terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from flexid.daemon_bridge.probe import Look, Seen, probe
from flexid.domain.message import DaemonReport
from flexid.services.catalogue import Services
from flexid.services.schema import SchemaMismatch

ADVICE: Mapping[Seen, str] = {
    "busy": "linphone-daemon takes one client at a time: end the other one",
    "mute": "restart linphone-daemon; its data directory must exist, see docs/messages.md",
    "missing": "start linphone-daemon with this socket; systemd's PrivateTmp hides /tmp, see docs/messages.md",
    "dead": "linphone-daemon has crashed or was killed: start it again",
    "forbidden": "linphone-daemon opens its socket to its own user only: run it as the user of flexid",
    "unreachable": "see docs/messages.md",
}
SAYS: Mapping[Seen, str] = {
    "busy": "another program is connected to {socket}",
    "mute": "{socket} takes connections and does not answer",
    "missing": "there is no {socket}",
    "dead": "nobody listens at {socket}",
    "forbidden": "{socket} may not be used by this user",
    "unreachable": "{socket} cannot be reached: {detail}",
}


@frozen
class Finding:
    """Something that was looked at; with advice if it is not well."""

    subject: str
    says: str
    advice: str | None = None

    @property
    def well(self) -> bool:
        """Say whether nothing has to be done."""
        return self.advice is None


async def look_at_database(services: Services) -> Finding:
    """Say whether the database can serve."""
    try:
        status = await services.schema.status()
    except SchemaMismatch as mismatch:
        return Finding("database", str(mismatch), "run the release of flexid that this database is of")
    if status.pending and status.applied:
        says = f"{len(status.pending)} migrations are not applied"
        return Finding("database", says, "flexid db migrate, or start flexid, which does it too")
    if status.pending:
        return Finding("database", "empty; flexid makes its tables at the first start")
    return Finding("database", f"answers, schema {status.version}")


async def look_at_daemon(reactor: Any, socket: str, report: DaemonReport | None) -> Finding:
    """Say whether SIP messages can be sent; `report` is what a flexid that may be running last said of the daemon."""
    if not socket:
        return Finding("SIP daemon", "none is configured (daemon.socket)")
    look = await probe(reactor, socket)
    if look.seen == "answers":
        return Finding("SIP daemon", f"linphone-daemon {look.detail} answers; no flexid is connected at the moment")
    if look.seen == "busy" and report is not None and report.state == "connected":
        return Finding("SIP daemon", f"a flexid is connected to {socket} since {report.since:%Y-%m-%d %H:%M:%S} UTC")
    return _trouble(socket, look)


def _trouble(socket: str, look: Look) -> Finding:
    says = SAYS[look.seen].format(socket=socket, detail=look.detail)
    return Finding("SIP daemon", says, ADVICE[look.seen])
