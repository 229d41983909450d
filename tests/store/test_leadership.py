"""Of many processes one leads, until it dies."""

from __future__ import annotations

from store.conftest import Opened
from support.postgres import Postgres
from support.reactor import asynchronous, reactor
from twisted.internet.task import deferLater

from flexid.store.leadership import Leadership
from flexid.store.query import Query

PID = Query("process of the server", "SELECT pg_backend_pid() AS pid", prepare=False)


async def leader(opened: Opened) -> Leadership:
    leadership = Leadership(opened(size=1))
    await leadership.start()
    return leadership


@asynchronous
async def test_one_of_two_leads_and_goes_on_leading(opened: Opened) -> None:
    first, second = await leader(opened), await leader(opened)
    assert [await first.is_ours() for _ in range(3)] == [True, True, True]
    assert not await second.is_ours()


@asynchronous
async def test_the_next_one_leads_when_the_first_has_gone(opened: Opened) -> None:
    first, second = await leader(opened), await leader(opened)
    assert await first.is_ours()
    await first.stop()
    while not await second.is_ours():
        await deferLater(reactor, 0.01)


@asynchronous
async def test_who_loses_the_connection_has_to_ask_again(any_postgres: Postgres, dsn: str, opened: Opened) -> None:
    database = opened(size=1)
    first = Leadership(database)
    await first.start()
    second = await leader(opened)
    assert await first.is_ours()
    pid = (await database.run(PID))[0]["pid"]
    any_postgres.sql(f"SELECT pg_terminate_backend({pid})", dsn)
    while not await second.is_ours():
        await deferLater(reactor, 0.01)
    assert not await first.is_ours()


@asynchronous
async def test_nobody_leads_without_a_server(any_postgres: Postgres, opened: Opened) -> None:
    leadership = await leader(opened)
    assert await leadership.is_ours()
    any_postgres.stop()
    assert not await leadership.is_ours()
