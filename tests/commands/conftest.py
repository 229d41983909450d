"""Commands, run in this process on a database of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import pytest_twisted
from attrs import define
from support.application import migrate
from support.postgres import Postgres
from support.reactor import reactor
from twisted.internet.defer import ensureDeferred

from flexid.base.clock import Clock
from flexid.base.configuration import Configuration
from flexid.base.settings import Settings
from flexid.commands.command import Outcome, Program
from flexid.commands.main import parse


@define
class Shell:
    """Somebody who types commands."""

    dsn: str
    directory: Path

    async def type(self, *words: str) -> Any:
        """Return what the command says to programs."""
        return (await self.outcome(*words)).data

    async def outcome(self, *words: str) -> Outcome:
        entry, options = parse(words)
        settings = Settings.model_validate({"database": {"url": self.dsn}, "files_dir": self.directory / "files"})
        return await entry.load().run(Program(reactor, Configuration(settings, "defaults"), Clock()), options)

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        connection = psycopg2.connect(self.dsn)
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(statement)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()


@pytest.fixture(scope="session")
def template(postgres: Postgres) -> str:
    dsn = postgres.create_database()
    pytest_twisted.blockon(ensureDeferred(migrate(dsn)))
    return dsn


@pytest.fixture
def empty_shell(postgres: Postgres, tmp_path: Path) -> Iterator[Shell]:
    """On a database without even a schema."""
    dsn = postgres.create_database()
    yield Shell(dsn, tmp_path)
    postgres.drop_database(dsn)


@pytest.fixture
def shell(postgres: Postgres, template: str, tmp_path: Path) -> Iterator[Shell]:
    """On a database without any Space."""
    dsn = postgres.create_database(template)
    yield Shell(dsn, tmp_path)
    postgres.drop_database(dsn)


@pytest_twisted.async_yield_fixture
async def spaced_shell(shell: Shell) -> AsyncIterator[Shell]:
    """On a database with the super Space `localhost`."""
    await shell.type("spaces", "create-update", "localhost", "localhost", "--super")
    yield shell
