"""All use cases for as long as a command needs them."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from attrs import frozen

from flexid.base.clock import Clock
from flexid.base.settings import Settings
from flexid.base.text import Text
from flexid.domain.errors import DomainError, Unavailable
from flexid.outbound.outside import connect
from flexid.services.catalogue import Services, build
from flexid.services.database_server import DatabaseServer
from flexid.services.schema import SchemaMismatch
from flexid.store.database import Database

CONNECTIONS = 2
PATIENCE = 10.0
"""Seconds for the database to answer."""


@frozen
class Opened:
    """The use cases, and the connection string of their database."""

    services: Services
    dsn: str


@asynccontextmanager
async def connected(reactor: Any, settings: Settings, clock: Clock) -> AsyncIterator[Opened]:
    """Reach the configured database, whatever its schema; an embedded one that does not run is started meanwhile.

    :raise Unavailable: it cannot be reached.
    """
    server = DatabaseServer(reactor, settings)
    try:
        dsn = await server.start()
        database = Database(reactor, dsn, CONNECTIONS)
        services = build(settings, database, clock, connect(reactor, settings, os.environ))
        try:
            await database.start()
            await _reach(database)
            yield Opened(services, dsn)
            await services.api_keys.flush()
        finally:
            await database.stop()
    finally:
        await server.stop()


@asynccontextmanager
async def opened(reactor: Any, settings: Settings, clock: Clock) -> AsyncIterator[Services]:
    """Reach the configured database, whose schema is made if it is empty.

    :raise Unavailable: it cannot be reached.
    :raise SchemaMismatch: its schema is of another release.
    """
    async with connected(reactor, settings, clock) as found:
        schema = found.services.schema
        status = await schema.status()
        if status.applied and status.pending:
            raise SchemaMismatch(Text("The database is of an older flexid, update it with: flexid db migrate"))
        await schema.migrate()
        yield found.services


async def _reach(database: Database) -> None:
    try:
        await database.connected(PATIENCE)
    except Unavailable:
        raise DomainError(Text("The database does not answer, see database.url in the configuration")) from None
