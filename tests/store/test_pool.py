"""Connections are lent in turn, and only to those who wait within bounds."""

from collections.abc import Coroutine
from typing import Any

import pytest
from store.conftest import Opened
from support.postgres import Postgres
from support.reactor import asynchronous, reactor, until
from twisted.internet.defer import CancelledError, Deferred, ensureDeferred

from flexid.domain.errors import Unavailable
from flexid.store.database import Database
from flexid.store.query import Query

NAP = Query("nap", "SELECT pg_sleep(0.2)")
ONE = Query("one", "SELECT 1 AS one")
PID = Query("who am I", "SELECT pg_backend_pid() AS pid")


def begin(work: Coroutine[Any, Any, Any]) -> Deferred[Any]:
    """Let it run, and keep its failure for later."""
    return ensureDeferred(work)


async def failure_of(work: Deferred[Any]) -> type[BaseException] | None:
    """Wait for the end and return what it raised."""
    try:
        await work
    except (Unavailable, CancelledError) as error:
        return type(error)
    return None


@asynchronous
async def test_more_callers_than_connections_take_turns(database: Database) -> None:
    callers = [begin(database.run(NAP)) for _ in range(6)]
    assert (database.busy, database.waiting) == (2, 4)
    for caller in callers:
        await caller
    assert (database.size, database.busy, database.waiting) == (2, 0, 0)


@asynchronous
async def test_who_comes_first_is_served_first(opened: Opened) -> None:
    database = opened(size=1)
    await database.start()
    await database.connected(5)
    order: list[int] = []

    async def ask(number: int) -> None:
        await database.run(ONE)
        order.append(number)

    for caller in [begin(ask(number)) for number in range(6)]:
        await caller
    assert order == [0, 1, 2, 3, 4, 5]


@asynchronous
async def test_who_waits_too_long_is_refused(opened: Opened) -> None:
    database = opened(size=1, waiting=0.3)
    await database.start()
    await database.connected(5)
    asked = reactor.seconds()
    async with database.transaction() as transaction:
        with pytest.raises(Unavailable):
            await database.run(ONE)
        assert 0.3 <= reactor.seconds() - asked < 0.6
        await transaction.run(ONE)
    assert await database.run(ONE) == [{"one": 1}]


@asynchronous
async def test_a_patient_caller_holds_up_nobody_behind_him(opened: Opened) -> None:
    database = opened(size=1, waiting=0.3)
    await database.start()
    await database.connected(5)
    async with database.transaction():
        patient = begin(database.connected(30))
        asked = reactor.seconds()
        with pytest.raises(Unavailable):
            await database.run(ONE)
        assert reactor.seconds() - asked < 0.6
    assert await failure_of(patient) is None


@asynchronous
async def test_who_comes_to_a_full_queue_is_refused_at_once(opened: Opened) -> None:
    database = opened(size=1, longest_queue=2)
    await database.start()
    await database.connected(5)
    async with database.transaction():
        patient = [begin(database.run(ONE)) for _ in range(2)]
        asked = reactor.seconds()
        with pytest.raises(Unavailable):
            await database.run(ONE)
        assert reactor.seconds() - asked < 0.05
    for caller in patient:
        assert await caller == [{"one": 1}]


@asynchronous
async def test_a_long_queue_of_callers_who_all_fail_at_once_is_no_problem(opened: Opened) -> None:
    database = opened(size=1)
    await database.start()
    await database.connected(5)
    query = Query("echo", "SELECT %(value)s::text AS value", prepare=False)
    failures = []

    async def ask() -> None:
        try:
            await database.run(query, value="\0")
        except ValueError as error:
            failures.append(error)

    async with database.transaction():
        callers = [begin(ask()) for _ in range(1000)]
    for caller in callers:
        await caller
    assert len(failures) == 1000
    assert await database.run(query, value="x") == [{"value": "x"}]


@asynchronous
async def test_who_gives_up_leaves_the_queue(opened: Opened) -> None:
    database = opened(size=1, longest_queue=2)
    await database.start()
    await database.connected(5)
    async with database.transaction():
        for _ in range(5):
            waiting = begin(database.run(ONE))
            assert database.waiting == 1
            waiting.cancel()
            assert await failure_of(waiting) is CancelledError
            assert database.waiting == 0
    assert await database.run(ONE) == [{"one": 1}]


@asynchronous
async def test_time_spent_waiting_counts(opened: Opened) -> None:
    database = opened(size=1, waiting=1, answer=1)
    await database.start()
    await database.connected(5)
    async with database.transaction():
        asked = reactor.seconds()
        late = begin(database.run(Query("long nap", "SELECT pg_sleep(0.8)")))
        await database_nap(0.5)
    assert await failure_of(late) is Unavailable
    assert reactor.seconds() - asked < 1.3


async def database_nap(seconds: float) -> None:
    """Let time pass, without a database."""
    end = reactor.seconds() + seconds
    await until(lambda: reactor.seconds() >= end)


@asynchronous
async def test_a_connection_that_the_server_closed_is_never_lent(opened: Opened, any_postgres: Postgres) -> None:
    database = opened(size=3)
    await database.start()
    await until(lambda: database.size == 3)
    async with database.transaction() as one, database.transaction() as two, database.transaction() as three:
        pids = [(await transaction.run(PID))[0]["pid"] for transaction in (one, two, three)]
    # The reactor has no time to notice before the next statement.
    any_postgres.sql(f"SELECT pg_terminate_backend(pid, 5000) FROM unnest(ARRAY{pids[1:]}) pid")
    assert [(await database.run(PID))[0]["pid"] for _ in range(10)] == [pids[0]] * 10
    await until(lambda: database.size == 3)


@asynchronous
async def test_a_connection_that_comes_back_within_a_transaction_is_replaced(opened: Opened) -> None:
    database = opened(size=1)
    await database.start()
    await database.connected(5)
    [before] = await database.run(PID)
    await database.run(Query("forget the end", "BEGIN", prepare=False))
    assert (await database.run(PID))[0]["pid"] != before["pid"]


@asynchronous
async def test_stopping_lets_work_finish_and_refuses_the_rest(opened: Opened, any_postgres: Postgres) -> None:
    database = opened(size=1)
    await database.start()
    await database.connected(5)
    running = begin(database.run(NAP))
    waiting = begin(database.run(ONE))
    stopping = begin(database.stop())
    assert await failure_of(waiting) is Unavailable
    assert await failure_of(begin(database.run(ONE))) is Unavailable
    assert await failure_of(running) is None
    await stopping
    assert database.size == 0
    assert any_postgres.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'flexid'") == [(0,)]


@asynchronous
async def test_stopping_cuts_what_does_not_end(opened: Opened) -> None:
    database = opened(size=2)
    await database.start()
    await database.connected(5)
    running = begin(database.run(Query("long nap", "SELECT pg_sleep(3)")))
    asked = reactor.seconds()
    await database.stop(grace=0.2)
    assert reactor.seconds() - asked < 1
    assert await failure_of(running) is Unavailable
    assert database.size == 0
