"""Statements are prepared once on each connection, and again when they have become useless."""

import pytest
from store.conftest import Opened
from support.postgres import Postgres
from support.reactor import asynchronous

from flexid.domain.errors import Unavailable
from flexid.store.database import Database
from flexid.store.failures import QueryFailed
from flexid.store.query import Query

ECHO = Query("echo", "SELECT %(value)s::text AS value")
PREPARED = Query("prepared", "SELECT statement FROM pg_prepared_statements ORDER BY prepare_time", prepare=False)
ALL = Query("all", "SELECT * FROM things")
MAKE = Query("make", "CREATE TABLE things (id int); INSERT INTO things VALUES (1)", prepare=False)
WIDEN = Query("widen", "ALTER TABLE things ADD COLUMN name text DEFAULT 'a'", prepare=False)
FORGET = Query("forget", "DEALLOCATE ALL", prepare=False)


async def start(opened: Opened) -> Database:
    """A database with one connection, so that everybody gets the same."""
    database = opened(size=1)
    await database.start()
    await database.connected(5)
    return database


@asynchronous
async def test_a_statement_is_prepared_once(opened: Opened) -> None:
    database = await start(opened)
    for value in ("a", "b", "c"):
        assert await database.run(ECHO, value=value) == [{"value": value}]
    assert await database.run(PREPARED) == [{"statement": "PREPARE s1 AS SELECT $1::text AS value"}]


@asynchronous
async def test_a_parameter_that_stands_twice_is_sent_once(opened: Opened) -> None:
    database = await start(opened)
    query = Query("both", "SELECT %(b)s::int AS b, %(a)s::int AS a, %(b)s + 1 AS next")
    assert await database.run(query, a=1, b=2) == [{"b": 2, "a": 1, "next": 3}]
    [row] = await database.run(PREPARED)
    assert row["statement"].endswith("SELECT $1::int AS b, $2::int AS a, $1 + 1 AS next")


@asynchronous
async def test_an_unprepared_query_may_hold_several_statements_and_is_not_prepared(opened: Opened) -> None:
    database = await start(opened)
    await database.run(MAKE)
    assert await database.run(Query("plain", "SELECT id FROM things", prepare=False)) == [{"id": 1}]
    assert await database.run(PREPARED) == []


@asynchronous
async def test_a_statement_whose_table_changed_is_prepared_again(opened: Opened) -> None:
    database = await start(opened)
    await database.run(MAKE)
    assert await database.run(ALL) == [{"id": 1}]
    await database.run(WIDEN)
    assert await database.run(ALL) == [{"id": 1, "name": "a"}]


@asynchronous
async def test_a_statement_that_the_server_forgot_is_prepared_again(opened: Opened) -> None:
    database = await start(opened)
    await database.run(ECHO, value="a")
    await database.run(FORGET)
    assert await database.run(ECHO, value="b") == [{"value": "b"}]


@asynchronous
async def test_a_transaction_with_an_outdated_statement_can_be_tried_again(opened: Opened) -> None:
    database = await start(opened)
    await database.run(MAKE)
    await database.run(ALL)
    for harm in (WIDEN, FORGET):
        await database.run(harm)
        with pytest.raises(Unavailable):
            async with database.transaction() as transaction:
                await transaction.run(ALL)
        async with database.transaction() as transaction:
            assert await transaction.run(ALL) == [{"id": 1, "name": "a"}]


@asynchronous
async def test_a_statement_that_never_works_is_not_tried_for_ever(opened: Opened) -> None:
    database = await start(opened)
    refusing = Query("refuse", "DO $$ BEGIN RAISE feature_not_supported; END $$; SELECT %(value)s::text", prepare=False)
    with pytest.raises(QueryFailed, match="0A000"):
        await database.run(refusing, value="a")
    await database.run(
        Query(
            "make",
            "CREATE FUNCTION refuse(text) RETURNS text LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE feature_not_supported; END $$",
            prepare=False,
        )
    )
    for _ in range(2):
        with pytest.raises(QueryFailed, match="0A000"):
            await database.run(Query("refuse", "SELECT refuse(%(value)s)"), value="a")
    assert await database.run(ECHO, value="a") == [{"value": "a"}]


@asynchronous
async def test_a_statement_much_larger_than_the_buffers_gets_through(opened: Opened) -> None:
    database = await start(opened)
    value = "ü" * 5_000_000
    for _ in range(2):
        assert (await database.run(ECHO, value=value))[0]["value"] == value


@asynchronous
async def test_statements_are_prepared_on_the_connections_that_follow_a_loss(
    opened: Opened, any_postgres: Postgres
) -> None:
    database = await start(opened)
    await database.run(ECHO, value="a")
    any_postgres.restart()
    assert await database.run(ECHO, value="b") == [{"value": "b"}]
    assert len(await database.run(PREPARED)) == 1
