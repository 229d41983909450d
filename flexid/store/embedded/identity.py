"""Whom PostgreSQL runs as: it refuses to run as root, and we do not lend it our reach."""

from __future__ import annotations

import os
import pwd
import shutil
from pathlib import Path

from attrs import evolve, frozen

from flexid.base.text import Text
from flexid.domain.errors import Unavailable
from flexid.store.embedded.processes import Reactor, run

DEBIAN_USER = "postgres"
OWN_USER = "flexid-postgres"


@frozen
class Runner:
    """The user that PostgreSQL's programs run as, and how they become that user."""

    uid: int
    gid: int
    name: str
    from_root: bool
    """We are root, and step down to that user."""

    passes_closed_parents: bool = False
    """It may enter a data directory below parents that are closed to it (CAP_DAC_OVERRIDE)."""

    def argv(self, *command: str, at_our_end: str = "INT") -> list[str]:
        """Return the command line that runs `command` as that user.

        The kernel sends it the signal `at_our_end` when our process ends, however suddenly.
        """
        step_down = [f"--reuid={self.uid}", f"--regid={self.gid}", "--clear-groups"] if self.from_root else []
        keep = ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"] if self.passes_closed_parents else []
        return [_setpriv(), f"--pdeathsig={at_our_end}", *step_down, *keep, "--", *command]

    def passing_closed_parents(self) -> Runner:
        """Return this user with the capability to pass closed parents; only root can give it."""
        return evolve(self, passes_closed_parents=True)

    def give(self, path: Path | int) -> None:
        """Make a path, or an open file, that we created the user's own.

        :raise OSError: the system refused.
        """
        if self.from_root:
            os.chown(path, self.uid, self.gid)


async def choose_runner(reactor: Reactor, *directories: Path) -> Runner:
    """Return ourselves; or, if we are root, the owner of the first directory that exists and is not root's.

    Those who started it before as themselves can then go on; else it is the user `postgres`, or one made for it.

    :raise Unavailable: there is no such user and none can be made.
    """
    if os.geteuid() != 0:
        return Runner(os.geteuid(), os.getegid(), name_of_ourselves(), from_root=False)
    for directory in directories:
        if directory.exists() and (owner := directory.stat()).st_uid != 0:
            return Runner(owner.st_uid, owner.st_gid, _name_of(owner.st_uid), from_root=True)
    return find_user(DEBIAN_USER) or await make_user(reactor, OWN_USER)


def find_user(name: str) -> Runner | None:
    """Return the system's user of that name."""
    try:
        user = pwd.getpwnam(name)
    except KeyError:
        return None
    return Runner(user.pw_uid, user.pw_gid, name, from_root=True)


async def make_user(reactor: Reactor, name: str) -> Runner:
    """Return the system user of that name, and make it if there is none.

    :raise Unavailable: it cannot be made.
    """
    if found := find_user(name):
        return found
    useradd = shutil.which("useradd") or "/usr/sbin/useradd"
    options = ["--system", "--user-group", "--no-create-home", "--home-dir=/nonexistent", "--shell=/usr/sbin/nologin"]
    made = await run(reactor, [useradd, *options, name])
    if found := find_user(name):
        return found
    raise Unavailable(
        Text(
            "PostgreSQL does not run as root, and a user {user} cannot be made for it ({problem}): "
            "add one with useradd --system {user}, or start flexid as an ordinary user",
            user=name,
            problem=made.errors.strip(),
        )
    )


def name_of_ourselves() -> str:
    """Return the name of the user that we run as."""
    return _name_of(os.geteuid())


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _setpriv() -> str:
    found = shutil.which("setpriv")
    if found is None:
        raise Unavailable(Text("The embedded PostgreSQL needs the program setpriv: install util-linux"))
    return found
