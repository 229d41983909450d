"""Transactions take effect as a whole or not at all."""

import pytest
from store.conftest import Opened
from support.postgres import Postgres
from support.reactor import asynchronous, reactor, until
from twisted.internet.defer import ensureDeferred, gatherResults
from twisted.internet.task import deferLater

from flexid.domain.errors import Unavailable
from flexid.store.database import Database
from flexid.store.failures import ConstraintViolated, Contended, QueryFailed, StoreError
from flexid.store.query import Query

MAKE = Query("make", "CREATE TABLE things (id int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED)", prepare=False)
ADD = Query("add", "INSERT INTO things VALUES (%(id)s)")
ALL = Query("all", "SELECT id FROM things ORDER BY id")
WRONG = Query("wrong", "SELECT 1/0")
IN_TRANSACTION = Query("when", "SELECT now() = statement_timestamp() AS first, txid_current() AS number")


async def ids(database: Database) -> list[int]:
    return [row["id"] for row in await database.run(ALL)]


@asynchronous
async def test_statements_take_effect_together(database: Database) -> None:
    await database.run(MAKE)
    async with database.transaction() as transaction:
        await transaction.run(ADD, id=1)
        assert await ids(database) == []
        await deferLater(reactor, 0, lambda: None)  # what a body awaits belongs to it
        await transaction.run(ADD, id=2)
    assert await ids(database) == [1, 2]
    assert database.busy == 0


@asynchronous
async def test_all_statements_run_in_one_transaction(database: Database) -> None:
    async with database.transaction() as transaction:
        numbers = {(await transaction.run(IN_TRANSACTION))[0]["number"] for _ in range(3)}
    assert len(numbers) == 1


@asynchronous
async def test_an_exception_rolls_back_and_goes_on(database: Database) -> None:
    await database.run(MAKE)
    with pytest.raises(LookupError):  # noqa: PT012  # the whole transaction is what fails
        async with database.transaction() as transaction:
            await transaction.run(ADD, id=1)
            raise LookupError
    assert await ids(database) == []
    assert database.busy == 0


@asynchronous
async def test_a_failed_statement_rolls_back(database: Database) -> None:
    await database.run(MAKE)
    with pytest.raises(QueryFailed, match="22012"):  # noqa: PT012  # the whole transaction is what fails
        async with database.transaction() as transaction:
            await transaction.run(ADD, id=1)
            await transaction.run(WRONG)
    assert await ids(database) == []
    assert database.busy == 0


@asynchronous
async def test_a_failed_first_statement_leaves_the_connection_whole(database: Database) -> None:
    for query in (WRONG, Query("nonsense", "SELEC"), Query("nonsense", "SELEC", prepare=False), ADD):
        for _ in range(database.size):
            with pytest.raises(StoreError):
                async with database.transaction() as transaction:
                    await transaction.run(query, id=1)
    assert (database.size, database.busy) == (2, 0)
    assert (await database.run(IN_TRANSACTION))[0]["first"]


@asynchronous
async def test_a_swallowed_failure_is_no_commit(database: Database) -> None:
    await database.run(MAKE)
    with pytest.raises(QueryFailed, match="commit"):  # noqa: PT012  # the whole transaction is what fails
        async with database.transaction() as transaction:
            await transaction.run(ADD, id=1)
            with pytest.raises(QueryFailed):
                await transaction.run(WRONG)
    assert await ids(database) == []
    assert database.busy == 0


@asynchronous
async def test_a_failing_commit_is_a_failure(database: Database) -> None:
    await database.run(MAKE)
    await database.run(ADD, id=1)
    with pytest.raises(ConstraintViolated, match="things_pkey"):
        async with database.transaction() as transaction:
            await transaction.run(ADD, id=1)
    assert await ids(database) == [1]
    assert database.busy == 0


@pytest.mark.parametrize("noticed", [True, False])
@asynchronous
async def test_a_commit_on_a_connection_that_is_gone_is_a_failure(
    database: Database,
    any_postgres: Postgres,
    noticed: bool,  # noqa: FBT001
) -> None:
    await database.run(MAKE)
    pid = Query("who am I", "SELECT pg_backend_pid() AS pid")
    with pytest.raises(Unavailable):  # noqa: PT012  # the whole transaction is what fails
        async with database.transaction() as transaction:
            await transaction.run(ADD, id=1)
            [row] = await transaction.run(pid)
            any_postgres.sql(f"SELECT pg_terminate_backend({row['pid']}, 5000)")
            if noticed:
                await until(lambda: database.size == 1)
    assert await ids(database) == []


@asynchronous
async def test_a_transaction_without_statements_costs_nothing(database: Database) -> None:
    async with database.transaction():
        assert database.busy == 1
    assert database.busy == 0


@asynchronous
async def test_a_transaction_that_is_over_runs_nothing(database: Database) -> None:
    async with database.transaction() as transaction:
        pass
    with pytest.raises(StoreError, match="over"):
        await transaction.run(ALL)


@asynchronous
async def test_two_statements_at_once_are_refused(database: Database) -> None:
    async with database.transaction() as transaction:
        first = ensureDeferred(transaction.run(IN_TRANSACTION))
        with pytest.raises(StoreError, match="still runs: when"):
            await transaction.run(WRONG)
        assert len(await first) == 1


@asynchronous
async def test_long_work_may_have_a_timeout_of_its_own(opened: Opened) -> None:
    database = opened(statement=0.2, answer=0.4)
    await database.start()
    slow = Query("slow", "SELECT pg_sleep(0.7)")
    with pytest.raises(Unavailable):
        await database.run(slow)
    with pytest.raises(Unavailable):
        async with database.transaction() as transaction:
            await transaction.run(slow)
    async with database.transaction(statement_timeout=5) as transaction:
        await transaction.run(slow)
        await transaction.run(slow)
    with pytest.raises(Unavailable):
        await database.run(slow)
    assert database.size == 2  # nobody was taken for dead


@asynchronous
async def test_contention_leaves_the_connections_whole(database: Database) -> None:
    """A deadlock, a lock_timeout and a serialization failure are no dead connections."""
    await database.run(Query("make", "CREATE TABLE rows (id int); INSERT INTO rows VALUES (1), (2)", prepare=False))
    lock = Query("lock", "SELECT id FROM rows WHERE id = %(id)s FOR UPDATE")
    pid = Query("who am I", "SELECT pg_backend_pid() AS pid")

    async def pids() -> set[int]:
        async with database.transaction() as one, database.transaction() as other:
            return {(await one.run(pid))[0]["pid"], (await other.run(pid))[0]["pid"]}

    before = await pids()

    async def lock_both(first: int, second: int) -> bool:
        try:
            async with database.transaction() as transaction:
                await transaction.run(lock, id=first)
                await transaction.run(Query("meet", "SELECT pg_sleep(0.1)"))
                await transaction.run(lock, id=second)
        except Contended:
            return False
        return True

    # One of them is the deadlock's victim, after deadlock_timeout.
    assert sorted(await gatherResults([ensureDeferred(lock_both(1, 2)), ensureDeferred(lock_both(2, 1))])) == [
        False,
        True,
    ]
    async with database.transaction() as holder:
        await holder.run(lock, id=1)
        with pytest.raises(Contended):  # noqa: PT012  # the whole transaction is what fails
            async with database.transaction() as late:
                await late.run(Query("hurry", "SET LOCAL lock_timeout = '10ms'", prepare=False))
                await late.run(lock, id=1)
    with pytest.raises(Contended):  # noqa: PT012  # the whole transaction is what fails
        async with database.transaction() as strict:
            await strict.run(Query("strictly", "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", prepare=False))
            await strict.run(Query("look", "SELECT count(*) AS n FROM rows"))
            await database.run(Query("change", "UPDATE rows SET id = 3 WHERE id = 1"))
            await strict.run(Query("change", "UPDATE rows SET id = 4 WHERE id = 1"))
    assert await pids() == before
