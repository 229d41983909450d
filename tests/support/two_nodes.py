"""Two nodes with two workers each on one PostgreSQL, behind HAProxy."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg2
from attrs import define
from support.flexid_process import Caller, Flexid, wait_until
from support.haproxy import HAProxy
from support.postgres import Postgres, embedded_binaries

WORKERS = 2
DRAIN_SECONDS = 1
"""More than HAProxy needs to notice."""


@define
class TwoNodes:
    postgres: Postgres
    nodes: tuple[Flexid, Flexid]
    haproxy: HAProxy
    dsn: str
    admin: Caller
    """Asks the first node."""

    @property
    def headers(self) -> dict[str, str]:
        return {"Host": self.admin.host, **self.admin.headers}

    def restart(self, place: int) -> None:
        """Restart a node as an operator who upgrades it does."""
        self.nodes[place].stop()
        self.nodes[place].start()
        self.haproxy.wait_for(place + 1, up=True)

    def caller(self, place: int) -> Caller:
        """Return the administrator, as he asks a certain node."""
        return Caller(self.nodes[place].port, self.admin.host, self.admin.headers)

    def key_uses(self) -> int:
        """Return how often keys were used, as far as that was written down."""
        connection = psycopg2.connect(self.dsn)
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT coalesce(sum(requests), 0) FROM api_keys")
            (uses,) = cursor.fetchone() or (0,)
        connection.close()
        return int(uses)


@contextmanager
def two_nodes(**settings: str) -> Iterator[TwoNodes]:
    """Run them for as long as they are needed."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="nodes-", dir="/tmp")))
        postgres = Postgres(embedded_binaries())
        stack.callback(postgres.remove)
        postgres.start("-c", "max_connections=200")
        dsn = postgres.create_database()
        shared = {
            "workers": str(WORKERS),
            "listen_drain_seconds": str(DRAIN_SECONDS),
            "database_url": dsn,
            "files_dir": str(folder / "files"),
            **settings,
        }
        nodes = Flexid(**shared), Flexid(**shared)
        for node in nodes:
            stack.callback(node.remove)
            node.start()
        nodes[0].command("spaces", "create-update", "localhost", "localhost", "--super")
        admin = nodes[0].create_admin("tester")
        haproxy = HAProxy(folder, [node.port for node in nodes])
        stack.callback(haproxy.stop)
        haproxy.start()
        yield TwoNodes(postgres, nodes, haproxy, dsn, admin)


def runs_timers(node: Flexid) -> int:
    """Return how often a process of a node has taken the timers over."""
    return node._log.read_text().count("This process runs the timers: merge account counts")


def wait_for_timers(node: Flexid, times: int, within: float) -> None:
    """Wait until a node has taken the timers over so many times."""
    wait_until(lambda: runs_timers(node) >= times, node.log_tail, within)
