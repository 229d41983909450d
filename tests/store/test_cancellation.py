"""A caller who is cancelled, as Klein does when a browser hangs up, leaves the pool whole."""

import gc

import pytest
from klein import Klein
from store.conftest import Logged, Opened
from support.reactor import asynchronous, reactor, until
from twisted.internet.defer import CancelledError, Deferred, ensureDeferred
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.protocol import Protocol
from twisted.web.iweb import IRequest
from twisted.web.server import Site

from flexid.store.database import Database
from flexid.store.query import Query

MAKE = Query("make", "CREATE TABLE things (id int PRIMARY KEY)", prepare=False)
ADD = Query("add", "INSERT INTO things VALUES (%(id)s)")
ADD_SLOWLY = Query("add slowly", "INSERT INTO things SELECT %(id)s::int FROM pg_sleep(0.2)")
FAIL_SLOWLY = Query("fail slowly", "SELECT 1 / (CASE WHEN pg_sleep(0.2) IS NULL THEN 1 ELSE 0 END)")
COUNT = Query("count", "SELECT count(*) AS n FROM things")


async def count(database: Database) -> int:
    number: int = (await database.run(COUNT))[0]["n"]
    return number


async def whole(database: Database) -> None:
    """Wait until all connections are back, and see that each works."""
    await until(lambda: database.busy == 0)
    size = database.size
    assert size == 2
    async with database.transaction() as one, database.transaction() as other:
        for transaction in (one, other):
            [row] = await transaction.run(
                Query("state", "SELECT now() = statement_timestamp() AS first", prepare=False)
            )
            assert row["first"]
    assert database.size == size


@asynchronous
async def test_a_cancelled_statement_runs_to_its_end(database: Database) -> None:
    await database.run(MAKE)
    callers = [ensureDeferred(database.run(ADD_SLOWLY, id=number)) for number in range(2)]
    for caller in callers:
        caller.cancel()
        with pytest.raises(CancelledError):
            await caller
    assert database.busy == 2
    await whole(database)
    assert await count(database) == 2


@asynchronous
async def test_the_failure_of_a_cancelled_statement_is_nobodys_concern(database: Database, logged: Logged) -> None:
    caller = ensureDeferred(database.run(FAIL_SLOWLY))
    caller.cancel()
    with pytest.raises(CancelledError):
        await caller
    del caller
    await whole(database)
    assert logged.errors() == []


@asynchronous
async def test_a_cancelled_transaction_is_rolled_back(database: Database) -> None:
    await database.run(MAKE)

    async def work(last: Query) -> None:
        async with database.transaction() as transaction:
            await transaction.run(ADD, id=1)
            await transaction.run(last, id=2)

    for last in (ADD_SLOWLY, FAIL_SLOWLY):
        for _ in range(3):
            caller = ensureDeferred(work(last))
            sleeping = Query("asleep", "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
            while not await database.run(sleeping):
                pass
            caller.cancel()
            with pytest.raises(CancelledError):
                await caller
            await whole(database)
            assert await count(database) == 0


@asynchronous
async def test_a_transaction_cancelled_outside_of_its_statements_is_rolled_back(database: Database) -> None:
    await database.run(MAKE)
    reached: list[bool] = []

    async def work() -> None:
        async with database.transaction() as transaction:
            await transaction.run(ADD, id=1)
            reached.append(True)
            await Deferred()

    caller = ensureDeferred(work())
    await until(lambda: bool(reached))
    caller.cancel()
    with pytest.raises(CancelledError):
        await caller
    assert database.busy == 0
    await whole(database)
    assert await count(database) == 0


@asynchronous
async def test_a_commit_that_has_begun_goes_on(database: Database) -> None:
    await database.run(MAKE)
    slow_commit = Query(
        "slow commit",
        """
        CREATE FUNCTION nap() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.2); RETURN NULL; END $$;
        CREATE CONSTRAINT TRIGGER nap AFTER INSERT ON things DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION nap()
        """,
        prepare=False,
    )
    await database.run(slow_commit)
    committing: list[bool] = []

    async def work() -> None:
        async with database.transaction() as transaction:
            await transaction.run(ADD, id=1)
            committing.append(True)

    caller = ensureDeferred(work())
    await until(lambda: bool(committing))
    caller.cancel()
    with pytest.raises(CancelledError):
        await caller
    await whole(database)
    assert await count(database) == 1


@asynchronous
async def test_a_transaction_that_is_forgotten_is_rolled_back(database: Database) -> None:
    await database.run(MAKE)

    async def work() -> None:
        async with database.transaction() as transaction:
            await transaction.run(ADD, id=1)
            reached.append(True)
            await Deferred()

    reached: list[bool] = []
    ensureDeferred(work())
    await until(lambda: bool(reached))
    gc.collect()  # nobody holds the Deferred, so the coroutine is closed
    await whole(database)
    assert await count(database) == 0


@asynchronous
async def test_a_hundred_browsers_that_hang_up_leave_the_pool_whole(opened: Opened) -> None:
    database = opened()
    await database.start()
    await database.connected(5)
    await database.run(MAKE)
    begun: list[IRequest] = []
    application = Klein()

    @application.route("/statement")
    async def statement(request: IRequest) -> bytes:
        begun.append(request)
        await database.run(ADD_SLOWLY, id=len(begun))
        return b""

    @application.route("/transaction")
    async def transaction(request: IRequest) -> bytes:
        begun.append(request)
        async with database.transaction() as transaction:
            await transaction.run(ADD, id=-len(begun))
            await transaction.run(FAIL_SLOWLY)
        return b""

    port = reactor.listenTCP(0, Site(application.resource()), interface="127.0.0.1")
    endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", port.getHost().port)
    for number in range(100):
        path = b"/statement" if number % 2 else b"/transaction"
        browser = await connectProtocol(endpoint, Protocol())
        assert browser.transport
        browser.transport.write(b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n\r\n")
        await until(lambda expected=number + 1: len(begun) == expected)  # type: ignore[misc]
        browser.transport.abortConnection()
    await until(lambda: database.waiting == 0)
    await whole(database)
    assert await count(database) <= 50
    await port.stopListening()
