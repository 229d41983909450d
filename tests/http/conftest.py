"""The application, for each test on a database of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_twisted
from support.application import Application, fill, migrate, start
from support.postgres import Postgres
from twisted.internet.defer import ensureDeferred

from flexid.store.connection import Connection
from flexid.store.query import Query


@pytest.fixture(scope="session")
def migrated_database(postgres: Postgres) -> str:
    dsn = postgres.create_database()
    pytest_twisted.blockon(ensureDeferred(migrate(dsn)))
    return dsn


@pytest.fixture(scope="session")
def filled_database(postgres: Postgres, migrated_database: str) -> str:
    dsn = postgres.create_database(migrated_database)
    fill(dsn)
    return dsn


@pytest.fixture
def settings() -> dict[str, object]:
    """What a test module may set otherwise."""
    return {}


@pytest_twisted.async_yield_fixture
async def app(postgres: Postgres, filled_database: str, settings: dict[str, object]) -> AsyncIterator[Application]:
    dsn = postgres.create_database(filled_database)
    application = await start(dsn, **settings)
    yield application
    await application.database.stop()
    postgres.drop_database(dsn)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the statements that are run."""
    names: list[str] = []
    execute = Connection.execute

    def recorded(self: Connection, query: Query, *arguments: Any, **more: Any) -> Any:
        names.append(query.name)
        return execute(self, query, *arguments, **more)

    monkeypatch.setattr(Connection, "execute", recorded)
    return names
