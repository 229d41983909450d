"""The whole database in a file, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from attrs import frozen
from twisted.internet.threads import deferToThreadPool

from flexid.services.schema import Schema
from flexid.store import backups, migrations
from flexid.store.backups import Tools
from flexid.store.database import Database

P = ParamSpec("P")
T = TypeVar("T")


@frozen
class Backups:
    """The use cases."""

    reactor: Any
    database: Database
    schema: Schema
    dsn: str
    environment: Mapping[str, str]

    async def write(self, file: Path) -> int:
        """Write everything into a file and return its size in bytes.

        :raise BackupFailed: with the reason.
        """
        tools = await self._tools()
        return await self._in_thread(tools.write, file)

    async def restore(self, file: Path) -> list[str]:
        """Replace everything by what a backup holds, and bring that up to date; return the migrations it needed.

        :raise BackupFailed: with the reason; nothing was changed.
        :raise SchemaMismatch: the backup is of a newer flexid; nothing was changed.
        """
        tools = await self._tools()
        migrations.refuse_unknown(await self._in_thread(tools.versions, file))
        await self._in_thread(tools.read, file)
        applied = await self.schema.migrate()
        await self.database.run(backups.TELL_ALL)
        return applied

    async def server_version(self) -> int:
        """Return PostgreSQL's version as a number: 180006 for 18.6."""
        return int((await self.database.run(backups.SERVER_VERSION))[0]["number"])

    async def _tools(self) -> Tools:
        return backups.tools(self.dsn, await self.server_version(), self.environment)

    async def _in_thread(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await deferToThreadPool(self.reactor, self.reactor.getThreadPool(), function, *args, **kwargs)
