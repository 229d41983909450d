"""A PostgreSQL data directory: where it lies, whose it is, and how it is made."""

from __future__ import annotations

import os
import re
import shutil
from hashlib import sha256
from pathlib import Path

from attrs import frozen
from psycopg2.extensions import make_dsn
from twisted.logger import Logger

from flexid.base.text import Text
from flexid.domain.errors import Unavailable
from flexid.store.embedded import sockets
from flexid.store.embedded.binaries import Binaries, make_open_directory, runnable
from flexid.store.embedded.identity import Runner, choose_runner
from flexid.store.embedded.processes import Finished, Reactor, in_thread, run
from flexid.store.embedded.troubles import complaint, trouble

NAME = "flexid"
"""Of the database and of its owner."""

OF_A_MAJOR = re.compile(r"postgresql-(\d+)")
BUILTIN_LOCALES_SINCE = 17


@frozen
class Cluster:
    """A data directory and all that is needed to run a server on it."""

    path: Path
    runner: Runner
    binaries: Binaries
    socket_directory: Path

    @property
    def log_file(self) -> Path:
        """Where its server's log goes."""
        return self.path.parent / "postgresql.log"

    @property
    def dsn(self) -> str:
        """The connection string, for libpq."""
        return make_dsn(host=str(self.socket_directory), port=sockets.PORT, user=NAME, dbname=NAME)


async def prepare(reactor: Reactor, data_dir: Path, binaries: Binaries, shared: Path, log: Logger) -> Cluster:
    """Return the cluster of a data directory, which is made if there is none yet.

    The caller holds the directory's lock. `shared` is for what PostgreSQL's user cannot reach where it is; only root
    uses it.

    :raise Unavailable: it cannot be used, with the reason.
    :raise OSError: likewise.
    """
    runner = await choose_runner(reactor, *_clusters(data_dir), data_dir)
    binaries, major = await runnable(reactor, binaries, runner, shared)
    home, runner = await _choose_home(reactor, data_dir, runner, shared, log)
    path = home / f"postgresql-{major}"
    cluster = Cluster(path, runner, binaries, sockets.socket_directory(path, runner.uid))
    if not path.exists():
        _refuse_other_majors(home, major)
        await _create(reactor, cluster, major)
        log.info("Made the PostgreSQL {major} data directory {path}", major=major, path=str(path))
    if path.stat().st_uid != runner.uid:
        raise trouble(path, runner.name, "Operation not permitted: it belongs to another user")
    if cluster.socket_directory != path:
        sockets.secure_directory(cluster.socket_directory, runner)
    return cluster


def _clusters(home: Path) -> list[Path]:
    return [found for found in home.glob("postgresql-*") if OF_A_MAJOR.fullmatch(found.name)]


async def _choose_home(
    reactor: Reactor, data_dir: Path, runner: Runner, shared: Path, log: Logger
) -> tuple[Path, Runner]:
    """Return the data directory and who can reach it; as root, if PostgreSQL's user cannot, a directory in `shared`."""
    if not runner.from_root:
        return data_dir, runner
    elsewhere = shared / sha256(os.fsencode(data_dir)).hexdigest()[:16]
    if not _clusters(elsewhere):
        for candidate in (runner, runner.passing_closed_parents()):
            # Whether a capability helps is seen by going there: access(2) would ignore it.
            if (await run(reactor, candidate.argv("stat", f"{data_dir}/."))).succeeded:
                return data_dir, candidate
        if _clusters(data_dir):
            raise trouble(data_dir, runner.name, "Permission denied")
    make_open_directory(elsewhere)
    log.warn(  # Twisted's name
        "The user {user} cannot enter {data_dir}: the embedded PostgreSQL keeps its data in {elsewhere}",
        user=runner.name,
        data_dir=str(data_dir),
        elsewhere=str(elsewhere),
    )
    return elsewhere, runner


def _refuse_other_majors(home: Path, major: int) -> None:
    """An empty database beside the old one would look like the loss of every account."""
    for found in _clusters(home):
        raise Unavailable(
            Text(
                "The data in {path} is not of PostgreSQL {major}, which is installed: write it with "
                "flexid db backup under the former version, move the directory away, then flexid db restore",
                path=str(found),
                major=major,
            )
        )


async def _create(reactor: Reactor, cluster: Cluster, major: int) -> None:
    """Make the cluster aside and put it in place when all of it is on the disk: it is there whole, or not at all."""
    aside = cluster.path.with_name(f"{cluster.path.name}.new")
    await in_thread(reactor, _make_empty, aside, cluster.runner)
    try:
        for argv, typed in _steps(cluster, str(aside), major):
            _check(await run(reactor, cluster.runner.argv(*argv, at_our_end="KILL"), typed), cluster)
        await in_thread(reactor, _put_in_place, aside, cluster.path)
    except BaseException:
        await in_thread(reactor, shutil.rmtree, aside, ignore_errors=True)
        raise


def _steps(cluster: Cluster, directory: str, major: int) -> list[tuple[list[str], bytes | None]]:
    initdb = [cluster.binaries.program("initdb"), "-D", directory]
    provider = ["--locale-provider=builtin"] if major >= BUILTIN_LOCALES_SINCE else []
    # Trust: nobody but its user and root can reach the socket.
    access = [f"--username={NAME}", "--auth-local=trust", "--auth-host=reject"]
    single = [cluster.binaries.program("postgres"), "--single", "-F", "-c", "exit_on_error=on", "-D", directory]
    # Nothing is synced before all is written, then everything at once: 0.2 s less than step by step.
    return [
        ([*initdb, "--no-sync", "--no-instructions", "--encoding=UTF8", *provider, "--locale=C.UTF-8", *access], None),
        ([*single, "template1"], f"CREATE DATABASE {NAME};\n".encode()),
        ([*initdb, "--sync-only"], None),
    ]


def _check(step: Finished, cluster: Cluster) -> None:
    if not step.succeeded:
        raise trouble(cluster.path.parent, cluster.runner.name, complaint(step.errors))


def _make_empty(directory: Path, runner: Runner) -> None:
    if directory.exists():
        shutil.rmtree(directory)
    directory.mkdir(mode=0o700)
    runner.give(directory)


def _put_in_place(aside: Path, path: Path) -> None:
    aside.rename(path)
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)  # the new name too
    finally:
        os.close(descriptor)
