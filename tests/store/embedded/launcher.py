"""A process with an embedded server, for tests that need another process, or another user.

It prints one JSON line: the `dsn` or the reason why it is `unavailable`, and what was logged; it stops the server when
its standard input ends.
"""

import argparse
import ctypes
import json
import os
import pwd
import stringprep  # noqa: F401  # wanted when a socket's name is encoded, and by then an ordinary user may not read it
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.task import react
from twisted.internet.threads import deferToThread
from twisted.logger import LogEvent, Logger, formatEvent

from flexid.domain.errors import Unavailable
from flexid.store.embedded import EmbeddedServer
from flexid.store.embedded.binaries import binaries_of_wheel

PR_SET_SECUREBITS = 28
SECBIT_NO_CAP_AMBIENT_RAISE = 1 << 6


class Arguments(argparse.Namespace):
    data_dir: Path
    user: str | None
    shared: Path
    site_packages: Path | None
    keep_capabilities: bool


def arguments() -> Arguments:
    parser = argparse.ArgumentParser()
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("--user", help="become this user before anything else")
    parser.add_argument("--shared", type=Path, required=True)
    parser.add_argument("--site-packages", type=Path, help="where the wheel's programs are")
    parser.add_argument("--keep-capabilities", action="store_true", help="be a root that cannot pass any on")
    return parser.parse_args(namespace=Arguments())


def become(name: str) -> None:
    user = pwd.getpwnam(name)
    os.setgroups([])
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)


async def serve(reactor: Any, given: Arguments) -> None:
    logged: list[str] = []

    def observe(event: LogEvent) -> None:
        logged.append(formatEvent(event))

    server = EmbeddedServer(
        reactor,
        given.data_dir,
        Logger("launcher", observer=observe),  # type: ignore[arg-type]  # a function observes as well
        binaries=binaries_of_wheel(given.site_packages) if given.site_packages else None,
        shared=given.shared,
    )
    try:
        answer = {"dsn": await server.start()}
    except Unavailable as refusal:
        answer = {"unavailable": str(refusal.reason)}
    sys.stdout.write(json.dumps({**answer, "logged": logged}) + "\n")
    sys.stdout.flush()
    await deferToThread(sys.stdin.read)
    await server.stop()


def main(reactor: Any) -> Deferred[None]:
    given = arguments()
    if given.keep_capabilities:
        ctypes.CDLL(None).prctl(PR_SET_SECUREBITS, SECBIT_NO_CAP_AMBIENT_RAISE, 0, 0, 0)
    if given.user:
        become(given.user)
    work: Coroutine[Deferred[Any], Any, None] = serve(reactor, given)
    return ensureDeferred(work)


if __name__ == "__main__":
    react(main)
