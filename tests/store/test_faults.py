"""The server goes away in all the ways it can, and the pool gets well by itself."""

import signal
from collections.abc import Callable

import pytest
from store.conftest import Logged, Opened
from support.postgres import Postgres
from support.reactor import asynchronous, reactor, until
from twisted.internet.defer import Deferred, ensureDeferred, gatherResults
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread

from flexid.domain.errors import Unavailable
from flexid.store.database import Database
from flexid.store.query import Query

ONE = Query("one", "SELECT 1 AS one")
NAP = Query("nap", "SELECT pg_sleep(0.5)")
MAKE = Query("make", "CREATE TABLE things (id bigint PRIMARY KEY, mark text)", prepare=False)
ADD = Query("add", "INSERT INTO things VALUES (%(id)s) RETURNING id")
MARK = Query("mark", "UPDATE things SET mark = 'whole' WHERE id = %(id)s")


async def seconds_until_refused(database: Database) -> float:
    """Ask for something and return how long it took to be refused."""
    asked = reactor.seconds()
    with pytest.raises(Unavailable):
        await database.run(ONE)
    seconds: float = reactor.seconds() - asked
    return seconds


class Load:
    """Callers that write one row after the other, half of them in transactions."""

    def __init__(self, database: Database, callers: int) -> None:
        self.acknowledged: set[int] = set()
        self.refused = 0
        self.slowest = 0.0
        self._database = database
        self._ending = False
        self._step = callers
        self._callers = [ensureDeferred(self._work(number)) for number in range(callers)]

    async def succeed(self) -> None:
        """Wait until a hundred more are acknowledged."""
        enough = len(self.acknowledged) + 100
        await until(lambda: len(self.acknowledged) > enough)

    async def end(self) -> None:
        """Let everybody finish what he does."""
        self._ending = True
        await gatherResults(self._callers)

    async def _work(self, number: int) -> None:
        identifier = number
        while not self._ending:
            identifier += self._step
            asked = reactor.seconds()
            try:
                await (self._alone(identifier) if number % 2 else self._together(identifier))
            except Unavailable:
                self.refused += 1
                await deferLater(reactor, 0.01, lambda: None)
            else:
                self.acknowledged.add(identifier)
            self.slowest = max(self.slowest, reactor.seconds() - asked)

    async def _alone(self, identifier: int) -> None:
        assert await self._database.run(ADD, id=identifier) == [{"id": identifier}]

    async def _together(self, identifier: int) -> None:
        async with self._database.transaction() as transaction:
            assert await transaction.run(ADD, id=-identifier) == [{"id": -identifier}]
            await transaction.run(MARK, id=-identifier)


@asynchronous
async def test_starting_without_a_server_waits_for_one(
    opened: Opened, any_postgres: Postgres, logged: Logged, dsn: str
) -> None:
    assert dsn
    any_postgres.stop()
    database = opened(waiting=0.3)
    asked = reactor.seconds()
    await database.start()
    assert reactor.seconds() - asked < 0.1
    with pytest.raises(Unavailable):
        await database.connected(0.2)
    assert await seconds_until_refused(database) < 0.6
    await deferToThread(any_postgres.start)
    await database.connected(2)
    assert await database.run(ONE) == [{"one": 1}]
    first, last = logged.of("flexid.store")
    assert first.startswith("The database is away: connection to server on socket")
    assert last == "The database is there"


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT, signal.SIGKILL])
@asynchronous
async def test_a_server_that_ends_under_load_is_found_again_with_every_acknowledged_write(
    opened: Opened, any_postgres: Postgres, dsn: str, logged: Logged, how: signal.Signals
) -> None:
    database = opened(size=4)
    await database.start()
    await database.connected(5)
    await database.run(MAKE)
    load = Load(database, callers=16)
    for round_ in range(2):
        await load.succeed()
        await deferToThread(any_postgres.stop, how)
        await until(lambda: database.size == 0)
        await deferToThread(any_postgres.start)
        back = reactor.seconds()
        await until(lambda: database.size == 4)
        assert reactor.seconds() - back < 2
        assert load.refused > round_
    await load.succeed()
    await load.end()
    rows = any_postgres.sql("SELECT id, mark FROM things", dsn)
    assert load.acknowledged <= {abs(row[0]) for row in rows}
    assert all(mark == "whole" for identifier, mark in rows if identifier < 0)
    assert load.slowest < 5
    assert database.busy == 0
    assert len(logged.of("flexid.store")) == 5  # there; away, there; away, there


@asynchronous
async def test_a_frozen_server_is_unavailable_within_five_seconds(opened: Opened, any_postgres: Postgres) -> None:
    database = opened(size=2)
    await database.start()
    await until(lambda: database.size == 2)

    async def with_transaction() -> float:
        asked = reactor.seconds()
        with pytest.raises(Unavailable):
            async with database.transaction() as transaction:
                await transaction.run(ONE)
        seconds: float = reactor.seconds() - asked
        return seconds

    any_postgres.freeze()
    callers = [ensureDeferred(seconds_until_refused(database)), ensureDeferred(with_transaction())]
    callers += [ensureDeferred(seconds_until_refused(database)) for _ in range(3)]
    assert max(await gatherResults(callers)) < 5
    assert await seconds_until_refused(database) < 5  # while all reconnecting is in vain
    any_postgres.thaw()
    thawed = reactor.seconds()
    await until(lambda: database.size == 2)
    assert reactor.seconds() - thawed < 2.5  # a try to connect may just have begun
    assert await database.run(ONE) == [{"one": 1}]


@asynchronous
async def test_a_server_that_freezes_within_a_transaction_is_unavailable(
    opened: Opened, any_postgres: Postgres
) -> None:
    database = opened(size=1, answer=0.5)
    await database.start()
    await database.connected(5)
    asked = reactor.seconds()
    with pytest.raises(Unavailable):  # noqa: PT012  # the whole transaction is what fails
        async with database.transaction() as transaction:
            await transaction.run(ONE)
            any_postgres.freeze()
            await transaction.run(ONE)
    assert reactor.seconds() - asked < 1
    any_postgres.thaw()
    await database.connected(5)


@asynchronous
async def test_a_commit_into_a_frozen_server_is_no_success(opened: Opened, any_postgres: Postgres) -> None:
    database = opened(size=1, answer=0.5)
    await database.start()
    await database.connected(5)
    with pytest.raises(Unavailable):  # noqa: PT012  # the whole transaction is what fails
        async with database.transaction() as transaction:
            await transaction.run(ONE)
            any_postgres.freeze()


@asynchronous
async def test_connecting_to_a_frozen_server_is_given_up_and_tried_again(
    opened: Opened, any_postgres: Postgres, logged: Logged
) -> None:
    any_postgres.freeze()
    database = opened(connecting=0.2)
    await database.start()
    await until(lambda: bool(logged.of("flexid.store")))
    assert logged.of("flexid.store") == ["The database is away: no answer in time"]
    any_postgres.thaw()
    await database.connected(5)


@asynchronous
async def test_a_slow_statement_is_cut_by_the_server_and_the_connection_stays(opened: Opened) -> None:
    database = opened(size=1, statement=0.1)
    await database.start()
    await database.connected(5)
    pid = Query("who am I", "SELECT pg_backend_pid() AS pid")
    before = await database.run(pid)
    with pytest.raises(Unavailable):
        await database.run(NAP)
    assert await database.run(pid) == before


@asynchronous
async def test_a_slow_statement_that_the_server_does_not_cut_is_cut_here(opened: Opened) -> None:
    database = opened(size=1, answer=0.2)
    await database.start()
    await database.connected(5)
    asked = reactor.seconds()
    with pytest.raises(Unavailable):
        await database.run(NAP)
    assert reactor.seconds() - asked < 0.45
    assert await database.run(ONE) == [{"one": 1}]


@asynchronous
async def test_a_server_with_too_few_connections_serves_with_those_it_gives(
    opened: Opened, any_postgres: Postgres
) -> None:
    any_postgres.stop()
    any_postgres.start("-c", "max_connections=6", "-c", "superuser_reserved_connections=0", "-c", "max_wal_senders=0")
    try:
        database = opened(size=10)
        await database.start()
        await until(lambda: database.size == 6)
        assert await gatherResults([ensureDeferred(database.run(ONE)) for _ in range(20)]) == [[{"one": 1}]] * 20
        await database.stop()
    finally:
        any_postgres.restart()


@asynchronous
async def test_the_end_of_idle_connections_is_one_line_in_the_log(
    database: Database, any_postgres: Postgres, logged: Logged
) -> None:
    logged.events.clear()
    any_postgres.kill()
    await until(lambda: database.size == 0)
    assert len(logged.of("")) == 1
    assert logged.errors() == []


@asynchronous
async def test_other_errors_while_reading_are_logged(
    database: Database, any_postgres: Postgres, dsn: str, logged: Logged
) -> None:
    """Only the end of the connection is silent."""

    def fail(_: str) -> None:
        raise LookupError

    database.listen("news", fail, lambda: None, lambda: None)
    await until(lambda: database.listening)
    any_postgres.sql("NOTIFY news", dsn)
    await until(lambda: bool(logged.errors()))
    assert logged.errors()[0]["log_failure"].type is LookupError
    logged.events.clear()


@pytest.mark.parametrize("prepared_before", [True, False])
@asynchronous
async def test_a_statement_that_loses_its_connection_is_not_sent_again(
    database: Database,
    any_postgres: Postgres,
    dsn: str,
    prepared_before: bool,  # noqa: FBT001
) -> None:
    await database.run(Query("make", "CREATE SEQUENCE tries", prepare=False))
    slow = Query("count and nap", "SELECT nextval('tries'), pg_sleep(%(seconds)s)")
    if prepared_before:
        await gatherResults([ensureDeferred(database.run(slow, seconds=0)) for _ in range(2)])
    tries = any_postgres.sql("SELECT last_value, is_called FROM tries", dsn)
    running: Deferred[object] = ensureDeferred(database.run(slow, seconds=3))
    asleep: Callable[[], bool] = lambda: bool(  # noqa: E731  # as `until` wants it
        any_postgres.sql("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
    )
    await until(asleep)
    any_postgres.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
    with pytest.raises(Unavailable):
        await running
    await until(lambda: database.size == 2)
    await database.run(ONE)
    after = any_postgres.sql("SELECT last_value, is_called FROM tries", dsn)
    assert after == [(3, True)] if prepared_before else after == [(1, True)]
    assert after != tries
