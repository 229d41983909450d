"""Servers for all tests: started once, when the first test needs them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.postgres import Postgres, debian_binaries, embedded_binaries


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
