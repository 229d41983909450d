"""The database's schema, and what every database has from its first day."""

from __future__ import annotations

from attrs import frozen

from flexid.domain.errors import Unavailable
from flexid.domain.phones import all_countries
from flexid.store import migrations, phone_countries
from flexid.store.database import Database
from flexid.store.migrations import SchemaMismatch, Status
from flexid.store.query import Runner

__all__ = ["Schema", "SchemaMismatch", "Status"]


@frozen
class Schema:
    """Brings the schema up to date and tells how it is."""

    database: Database

    async def status(self) -> Status:
        """Return which migrations were applied and which are still to apply.

        :raise SchemaMismatch: the database is newer than this program, or was made by other files.
        """
        return await migrations.status(self.database)

    async def migrate(self) -> list[str]:
        """Apply what is still to apply, and return the names of it.

        :raise SchemaMismatch: the database is newer than this program, or was made by other files.
        """
        return [str(step) for step in await migrations.apply(self.database, _fill_in)]

    async def problem(self) -> str | None:
        """Return why nothing could be served from this database now."""
        try:
            pending = (await self.status()).pending
        except Unavailable:
            return "the database is away"
        except SchemaMismatch:
            # While nodes are upgraded one after the other, the old ones go on serving.
            return None
        return f"{len(pending)} migrations are not applied" if pending else None


async def _fill_in(runner: Runner) -> None:
    await phone_countries.update(runner, all_countries())
