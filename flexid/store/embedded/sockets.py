"""Where the server listens: one UNIX socket, in a directory that nobody else can enter."""

from __future__ import annotations

import os
import re
import socket
import stat
from hashlib import sha256
from pathlib import Path

from flexid.base.text import Text
from flexid.domain.errors import Unavailable
from flexid.store.embedded.identity import Runner

PORT = 5432
"""Part of the socket's name; nothing listens on TCP."""

LONGEST_DIRECTORY = 80
"""Bytes; the kernel takes 107 for the directory and the socket's name."""

PLAIN = re.compile(r"[A-Za-z0-9/._+-]+")
"""Libpq and postgres read commas, quotes and @ in the name of a socket directory as something else."""

SHORT_PLACE = Path("/tmp")  # noqa: S108  # secure_directory() refuses what others may have planted there


def socket_directory(cluster: Path, uid: int) -> Path:
    """Return where a cluster's socket belongs: in the cluster itself, unless its path is too long or too odd.

    It depends on nothing else, such as the environment: whoever starts the server, it is found at the same place.
    """
    name = str(cluster)
    if PLAIN.fullmatch(name) and len(os.fsencode(name)) <= LONGEST_DIRECTORY:
        return cluster
    return SHORT_PLACE / f"flexid-{uid}-{sha256(os.fsencode(name)).hexdigest()[:16]}"


def secure_directory(directory: Path, runner: Runner) -> None:
    """Make the socket's directory, open to the user alone, or make sure that it is just that.

    :raise Unavailable: somebody else's directory, or something else, has that name.
    :raise OSError: it cannot be made.
    """
    try:
        directory.mkdir(mode=0o700)
        runner.give(directory)
    except FileExistsError:
        found = directory.lstat()
        closed = stat.S_ISDIR(found.st_mode) and stat.S_IMODE(found.st_mode) & 0o077 == 0
        if not closed or found.st_uid != runner.uid:
            raise Unavailable(
                Text(
                    "{path} should be a directory of the user {user} that nobody else can enter: remove it",
                    path=str(directory),
                    user=runner.name,
                )
            ) from None


def socket_path(directory: Path) -> Path:
    """Return the socket's own path."""
    return directory / f".s.PGSQL.{PORT}"


def is_listening(directory: Path) -> bool:
    """Return whether somebody takes connections there."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(0)  # a UNIX socket connects at once, or not
        return probe.connect_ex(os.fsencode(socket_path(directory))) == 0
