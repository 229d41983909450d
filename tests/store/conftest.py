"""Databases for the tests of the store."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, cast

import pytest
import pytest_twisted
from attrs import define, field
from support.postgres import Postgres
from support.reactor import reactor, until
from twisted.logger import ILogObserver, LogEvent, LogLevel, globalLogPublisher
from zope.interface import implementer

from flexid.store.connector import Timeouts
from flexid.store.database import Database

Opened = Callable[..., Database]


@implementer(ILogObserver)
@define(eq=False)
class Logged:
    """What was logged during a test."""

    events: list[LogEvent] = field(factory=list)

    def __call__(self, event: LogEvent) -> None:
        self.events.append(event)

    def errors(self) -> list[LogEvent]:
        """Return failures and complaints, those of forgotten Deferreds too."""
        gc.collect()
        return [event for event in self.events if event["log_level"] >= LogLevel.error]

    def of(self, namespace: str) -> list[str]:
        """Return the messages of a module."""
        return [
            event["log_format"].format(**event) for event in self.events if event["log_namespace"].startswith(namespace)
        ]


@pytest.fixture
def logged() -> Iterator[Logged]:
    """What is logged; a test during which errors are logged fails."""
    logged = Logged()
    globalLogPublisher.addObserver(cast("ILogObserver", logged))
    yield logged
    errors = logged.errors()
    globalLogPublisher.removeObserver(cast("ILogObserver", logged))
    assert errors == []


@pytest.fixture
def dsn(any_postgres: Postgres) -> Iterator[str]:
    """An empty database, on each server in turn."""
    dsn = any_postgres.create_database()
    yield dsn
    if not any_postgres.running:
        any_postgres.start()
    any_postgres.thaw()
    any_postgres.drop_database(dsn)


@pytest_twisted.async_yield_fixture
async def opened(dsn: str, logged: Logged) -> AsyncIterator[Opened]:  # noqa: ARG001  # errors logged fail the test
    """Make databases that are started and stopped for the test."""
    made: list[Database] = []

    def make(size: int = 2, **options: Any) -> Database:
        timeouts = Timeouts(**{name: options.pop(name) for name in tuple(options) if hasattr(Timeouts(), name)})
        database = Database(reactor, dsn, size, timeouts=timeouts, **options)
        made.append(database)
        return database

    yield make
    for database in made:
        await database.stop(grace=0.5)


@pytest_twisted.async_yield_fixture
async def database(opened: Opened) -> AsyncIterator[Database]:
    """Two connections to an empty database."""
    database = opened()
    await database.start()
    await until(lambda: database.size == 2)
    yield database
