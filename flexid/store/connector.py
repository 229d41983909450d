"""Opens connections, with the settings that all of ours have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import frozen
from psycopg2 import extensions

from flexid.base.metrics import Totals
from flexid.store.connection import Connection
from flexid.store.watch import Watch


@frozen
class Timeouts:
    """How long things may take, in seconds.

    Together they keep every caller's wait for a single statement below `answer`, and a tick of the watch.
    """

    connecting: float = 2.0
    statement: float = 4.0
    """PostgreSQL's own statement_timeout."""
    answer: float = 4.5
    """From the moment of asking; then the server is taken for frozen and the connection is closed."""
    waiting: float = 4.0
    """For a free connection."""


class Connector:
    """Opens connections and has an eye on them."""

    def __init__(self, reactor: Any, dsn: str, timeouts: Timeouts) -> None:
        self.reactor = reactor
        self.timeouts = timeouts
        self.watch = Watch(reactor)
        self.statements = Totals[str]()
        """What was asked, by the names of the statements."""
        self._dsn = with_settings(dsn, timeouts.statement)
        self._connections: set[Connection] = set()

    async def connect(self, heard: Callable[[str, str], None] | None = None) -> Connection:
        """Open a connection; `heard` gets channel and payload of each NOTIFY.

        :raise Disconnected: it failed or took too long.
        """
        connection = Connection(self.reactor, heard, self.statements)
        self._connections.add(connection)
        self.watch.add(connection)
        connection.gone.addCallback(lambda _: self._forget(connection))
        await connection.open(self._dsn, self.reactor.seconds() + self.timeouts.connecting)
        return connection

    def end_all(self) -> None:
        """Close every connection, those too that are being opened."""
        for connection in tuple(self._connections):
            connection.end("stopped")

    def _forget(self, connection: Connection) -> None:
        self._connections.discard(connection)
        self.watch.discard(connection)


def with_hooks(dsn: str) -> str:
    """Return a connection string for who calls operators' own functions: triggers note changes of accounts for them."""
    given = extensions.parse_dsn(dsn)
    hooked: str = extensions.make_dsn(**given | {"options": f"{given.get('options', '')} -c flexid.hooks=on".strip()})
    return hooked


def with_settings(dsn: str, statement_timeout: float) -> str:
    """Return a connection string with our settings; they travel in the first message and cost no round trip."""
    given = extensions.parse_dsn(dsn)
    # Planning a statement again for each set of values costs more than running it. All of ours go by an index, which
    # tests/http/test_statements.py sees to; a plan made while a table was empty must not walk it when it is full.
    options = (
        f"-c TimeZone=UTC -c statement_timeout={round(statement_timeout * 1000)}"
        " -c plan_cache_mode=force_generic_plan -c jit=off -c enable_seqscan=off"
    )
    ours = {"application_name": "flexid", "keepalives_idle": "10", "keepalives_interval": "5", "keepalives_count": "3"}
    return extensions.make_dsn(
        **ours | given | {"client_encoding": "UTF8", "options": f"{given.get('options', '')} {options}".strip()}
    )
