"""Servers for all tests: started once, when the first test needs them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_twisted
from support import redis_server
from support.fake_daemon import FakeDaemon
from support.postgres import Postgres, debian_binaries, embedded_binaries
from support.redis_server import RedisServer


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """The PostgreSQL that we ship."""
    server = Postgres(embedded_binaries())
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture(scope="session")
def debian_postgres() -> Iterator[Postgres]:
    """The PostgreSQL that Debian ships."""
    binaries = debian_binaries()
    if binaries is None:
        pytest.skip("Debian's PostgreSQL is not installed")
    server = Postgres(binaries)
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture(params=["postgres", "debian_postgres"])
def any_postgres(request: pytest.FixtureRequest) -> Iterator[Postgres]:
    """Each PostgreSQL in turn; a test may stop, kill or freeze it."""
    server: Postgres = request.getfixturevalue(request.param)
    yield server
    if not server.running:
        server.start()
    server.thaw()


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    """Debian's Redis, as Flexisip keeps registrations in it."""
    with redis_server.running() as server:
        yield server


@pytest_twisted.async_yield_fixture
async def daemon() -> AsyncIterator[FakeDaemon]:
    """Stands in for linphone-daemon."""
    daemon = FakeDaemon()
    daemon.start()
    yield daemon
    await daemon.remove()
