"""The embedded PostgreSQL as the rest of flexid sees it: started, looked after, stopped."""

from __future__ import annotations

from pathlib import Path

from attrs import evolve
from twisted.internet.defer import CancelledError, Deferred, ensureDeferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from flexid.domain.errors import Unavailable
from flexid.store.embedded.binaries import Binaries, find_binaries
from flexid.store.embedded.cluster import Cluster, prepare
from flexid.store.embedded.identity import name_of_ourselves
from flexid.store.embedded.lock import locked
from flexid.store.embedded.pidfile import NAME as PID_FILE
from flexid.store.embedded.pidfile import Postmaster, clear_leftovers, is_postmaster, running_postmaster
from flexid.store.embedded.postmaster import Child
from flexid.store.embedded.processes import Reactor, pause
from flexid.store.embedded.sockets import is_listening, socket_path
from flexid.store.embedded.troubles import explained, trouble

SHARED = Path("/var/lib/flexid-postgresql")
"""For what PostgreSQL's user cannot reach where it is: a virtual environment or a data directory in root's home."""

PATIENCE = 60.0
"""Seconds to wait for what other processes do: start it, stop it, hold the lock."""
PATIENCE_AT_END = 5.0
LINGERING = ("is still in use", "already exists")
"""What a server says when the children, or the lock file, of one before it are not gone yet; they soon are."""
LINGER_SECONDS = 10.0
POLL_SECONDS = 0.02
WATCH_SECONDS = 0.1
"""Between two looks at the process, which may not be our child: only looking tells that it is gone."""
LONGEST_BACKOFF = 5.0


class EmbeddedServer:
    """A PostgreSQL server on a data directory, shared by all processes of this machine that use that directory.

    Whoever comes first starts it, the others attach to it; it ends with the process that started it, and those that
    are left start it again.
    """

    def __init__(
        self,
        reactor: Reactor,
        data_dir: Path,
        log: Logger,
        *,
        binaries: Binaries | None = None,
        shared: Path = SHARED,
    ) -> None:
        self._reactor = reactor
        self._data_dir = data_dir.resolve()  # the working directory may change later
        self._log = log
        self._binaries = binaries
        self._shared = shared
        self._child: Child | None = None
        self._supervision: Deferred[None] | None = None

    async def start(self) -> str:
        """Return the connection string of the running server, for libpq; to be called once, before `stop`.

        It is started if it does not run, with a new data directory and an empty database if there is none; from then
        on it is started again whenever it goes.

        :raise Unavailable: it cannot run, with a reason for the operator.
        """
        with explained(self._data_dir, name_of_ourselves()):
            self._data_dir.mkdir(parents=True, exist_ok=True)
            async with locked(self._reactor, self._data_dir, PATIENCE):
                binaries = self._binaries or find_binaries()
                cluster = await prepare(self._reactor, self._data_dir, binaries, self._shared, self._log)
                found = await self._bring_up(cluster)
        # One that others started may listen elsewhere; when we have to start it again it will be there.
        cluster = evolve(cluster, socket_directory=found.socket_directory)
        self._supervision = ensureDeferred(self._supervise(cluster, found.pid))
        self._supervision.addErrback(self._supervision_ended)
        return cluster.dsn

    async def stop(self) -> None:
        """Stop the server if we started it; one of another process goes on. To be called also if `start` failed."""
        if self._supervision:
            self._supervision.cancel()
        if self._child and self._child.running:
            try:
                # With the lock, so that nobody attaches to a server that is about to go.
                async with locked(self._reactor, self._data_dir, PATIENCE_AT_END):
                    await self._child.stop()
            except (Unavailable, OSError):
                await self._child.stop()
            self._log.info("Stopped PostgreSQL")

    async def _bring_up(self, cluster: Cluster) -> Postmaster:
        """Attach to the cluster's server, or launch one; the caller holds the lock."""
        deadline = self._reactor.seconds() + PATIENCE
        while found := running_postmaster(cluster.path):
            if found.status == "ready" and is_listening(found.socket_directory):
                self._log.info("Attached to PostgreSQL in {path}, process {pid}", path=str(cluster.path), pid=found.pid)
                return found
            if self._reactor.seconds() > deadline:
                problem = f"process {found.pid} is {found.status} but takes no connections"
                raise trouble(cluster.path, cluster.runner.name, problem)
            await pause(self._reactor, POLL_SECONDS)
        return await self._launch(cluster)

    async def _launch(self, cluster: Cluster) -> Postmaster:
        deadline = self._reactor.seconds() + LINGER_SECONDS
        clear_leftovers(cluster.path / PID_FILE, Path(f"{socket_path(cluster.socket_directory)}.lock"))
        while True:
            child = self._child = Child(self._reactor, cluster)
            try:
                found = await child.ready()
            except BaseException:
                child.interrupt()
                raise
            if found:
                self._log.info("Started PostgreSQL in {path}, process {pid}", path=str(cluster.path), pid=found.pid)
                return found
            if not child.complaint.endswith(LINGERING) or self._reactor.seconds() > deadline:
                raise trouble(cluster.path, cluster.runner.name, child.complaint)
            await pause(self._reactor, POLL_SECONDS)

    async def _supervise(self, cluster: Cluster, pid: int) -> None:
        while True:
            while is_postmaster(pid, cluster.path):
                await pause(self._reactor, WATCH_SECONDS)
            self._log.warn("PostgreSQL in {path} has gone, starting it again", path=str(cluster.path))
            pid = await self._bring_back(cluster)

    async def _bring_back(self, cluster: Cluster) -> int:
        """Return the process of the server that runs again at last; the first try is at once."""
        backoff = WATCH_SECONDS
        while True:
            try:
                with explained(cluster.path, cluster.runner.name):
                    async with locked(self._reactor, self._data_dir, PATIENCE):
                        return (await self._bring_up(cluster)).pid
            except Unavailable as problem:
                self._log.error("{reason}", reason=str(problem.reason))
            await pause(self._reactor, backoff)
            backoff = min(2 * backoff, LONGEST_BACKOFF)

    def _supervision_ended(self, failure: Failure) -> None:
        if not isinstance(failure.value, CancelledError):
            self._log.failure("Nobody looks after PostgreSQL any more", failure)
