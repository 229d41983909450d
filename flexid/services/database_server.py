"""Where the database is: on a server that somebody else runs, or on the embedded one."""

from __future__ import annotations

from typing import Any

from twisted.logger import Logger

from flexid.base.settings import Settings
from flexid.store.connector import with_hooks


class DatabaseServer:
    """The configured PostgreSQL server."""

    log = Logger()

    def __init__(self, reactor: Any, settings: Settings) -> None:
        self._reactor = reactor
        self._settings = settings
        self._embedded: Any = None

    async def start(self) -> str:
        """Return the connection string; an embedded server is started, or joined if another process runs it.

        :raise Unavailable: the embedded server cannot run.
        """
        dsn = await self._server()
        return with_hooks(dsn) if self._settings.hooks.accounts else dsn

    async def _server(self) -> str:
        if self._settings.database.is_external():
            return self._settings.database.url
        # Whoever has a server of his own needs none of this.
        from flexid.store.embedded import EmbeddedServer  # noqa: PLC0415

        self._embedded = EmbeddedServer(self._reactor, self._settings.data_dir, self.log)
        dsn: str = await self._embedded.start()
        return dsn

    async def stop(self) -> None:
        """Stop the embedded server if it is ours."""
        if self._embedded:
            await self._embedded.stop()
