"""What `postmaster.pid` says about a cluster's server, and whether to believe it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from attrs import frozen

NAME = "postmaster.pid"
FIRST_LINES = 5
"""Process, data directory, start time, port, socket directory; the status is the eighth, and comes late."""
STATUS = 7


@frozen
class Postmaster:
    """A server that runs on a cluster."""

    pid: int
    socket_directory: Path
    status: str
    """`starting`, `ready`, `standby` or `stopping`."""


def running_postmaster(cluster: Path) -> Postmaster | None:
    """Return the server that runs on a cluster; the file of one that is gone is not taken for a server."""
    try:
        lines = (cluster / NAME).read_text(errors="replace").splitlines()
    except OSError:
        return None
    if len(lines) < FIRST_LINES or not lines[0].isdigit() or not is_postmaster(int(lines[0]), cluster):
        return None
    status = lines[STATUS].strip() if len(lines) > STATUS else "starting"
    return Postmaster(int(lines[0]), Path(lines[FIRST_LINES - 1]), status)


def is_postmaster(pid: int, cluster: Path) -> bool:
    """Return whether a process is a server that works in this cluster, and not a program that got its number."""
    process = Path("/proc", str(pid))
    try:
        if process.stat().st_uid not in {cluster.stat().st_uid, 0}:  # root: a process that hides its memory
            return False
        if (process / "comm").read_text().strip() != "postgres":
            return False
        return (process / "cwd").samefile(cluster)
    except PermissionError:
        return True  # a server with capabilities does not show its directory to its own user
    except OSError:
        return False


def clear_leftovers(*lock_files: Path) -> None:
    """Remove lock files that a server would respect though none runs: cut short, or another program has the number.

    To be called when `running_postmaster` found none. Those of a process that is gone are PostgreSQL's to judge: it
    also looks for that server's children. A number below zero is that of a `postgres --single`, likewise.

    :raise OSError: the system refused.
    """
    for file in lock_files:
        with suppress(FileNotFoundError):
            pid = file.read_text(errors="replace").partition("\n")[0]
            if not pid.startswith("-") and (not pid.isdigit() or Path("/proc", pid).exists()):
                file.unlink()
