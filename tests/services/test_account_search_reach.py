"""Whose accounts an administrator finds in the list."""

from __future__ import annotations

from collections.abc import AsyncIterator

import psycopg2
import pytest
import pytest_twisted
from attrs import define
from support.application import SUPER, TENANT, fill, migrate
from support.postgres import Postgres
from support.reactor import asynchronous, reactor

from flexid.base.clock import Clock
from flexid.domain.account import Actor
from flexid.domain.account_search import AccountSearchWish, FoundAccounts
from flexid.domain.errors import NotFound
from flexid.domain.space import Space
from flexid.services.account_search import AccountSearch
from flexid.store import spaces
from flexid.store.account_landmarks import LandmarkKeeper
from flexid.store.database import Database

SUPER_ADMIN = Actor(1, "admin", SUPER, admin=True, blocked=False, super_space=True)
ADMIN = Actor(2, "admin", TENANT, admin=True, blocked=False, super_space=False)
USER = Actor(3, "user", TENANT, admin=False, blocked=False, super_space=False)
USER_OF_SUPER_SPACE = Actor(4, "user", SUPER, admin=False, blocked=False, super_space=True)


@define
class List:
    """The use case, and the Space on whose host it is asked."""

    search: AccountSearch
    space: Space

    async def found(self, actor: Actor, **query: str) -> FoundAccounts:
        return await self.search.page(actor, self.space, AccountSearchWish.read(query))

    async def names(self, actor: Actor, **query: str) -> list[str]:
        return [f"{line.username}@{line.domain}" for line in (await self.found(actor, **query)).lines]


@pytest_twisted.async_yield_fixture
async def opened(postgres: Postgres) -> AsyncIterator[Database]:
    dsn = postgres.create_database()
    await migrate(dsn)
    fill(dsn)
    connection = psycopg2.connect(dsn)
    with connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO accounts (username, domain) VALUES ('alice', %s), ('alice', %s)", (SUPER, TENANT))
        cursor.execute(
            "INSERT INTO contacts_lists (space_id, title)"
            " SELECT s.id, t FROM spaces s, unnest(%s) t WHERE s.domain = %s",
            (["Neighbours", "Family"], TENANT),
        )
    connection.close()
    database = Database(reactor, dsn, 2)
    await database.start()
    await database.connected(5)
    yield database
    await database.stop()
    postgres.drop_database(dsn)


async def at(database: Database, domain: str) -> List:
    space = await spaces.find(database, domain)
    assert space
    return List(AccountSearch(database, LandmarkKeeper(database, Clock())), space)


@asynchronous
async def test_an_administrator_finds_the_accounts_of_the_own_space(opened: Database) -> None:
    tenant = await at(opened, TENANT)
    own = [f"admin@{TENANT}", f"alice@{TENANT}"]
    assert await tenant.names(ADMIN) == await tenant.names(ADMIN, domain=TENANT) == own
    assert await tenant.names(ADMIN, q="alice") == [f"alice@{TENANT}"]
    assert await tenant.names(ADMIN, q=f"alice@{SUPER}") == []


@pytest.mark.parametrize("domain", [SUPER, "nowhere.example.org", "*", "\0"])
@asynchronous
async def test_to_an_administrator_other_domains_do_not_exist(opened: Database, domain: str) -> None:
    tenant = await at(opened, TENANT)
    with pytest.raises(NotFound):
        await tenant.found(ADMIN, domain=domain)


@asynchronous
async def test_an_administrator_finds_nothing_on_the_host_of_another_space(opened: Database) -> None:
    with pytest.raises(NotFound):
        await (await at(opened, SUPER)).found(ADMIN)


@asynchronous
async def test_who_is_no_administrator_finds_nothing(opened: Database) -> None:
    for actor, domain in ((USER, TENANT), (USER_OF_SUPER_SPACE, SUPER)):
        for query in ({}, {"domain": domain}, {"domain": "*"}):
            with pytest.raises(NotFound):
                await (await at(opened, domain)).found(actor, **query)


@asynchronous
async def test_a_super_administrator_finds_the_accounts_of_the_host_of_any_or_of_every_space(opened: Database) -> None:
    here = await at(opened, SUPER)
    own, others = [f"admin@{SUPER}", f"alice@{SUPER}"], [f"admin@{TENANT}", f"alice@{TENANT}"]
    assert await here.names(SUPER_ADMIN) == own
    assert await here.names(SUPER_ADMIN, domain=TENANT) == others
    assert await (await at(opened, TENANT)).names(SUPER_ADMIN) == others
    assert sorted(await here.names(SUPER_ADMIN, domain="*")) == sorted(own + others)
    assert sorted(await here.names(SUPER_ADMIN, domain="*", q="alice")) == [own[1], others[1]]
    assert await here.names(SUPER_ADMIN, domain="nowhere.example.org") == []


@asynchronous
async def test_an_order_that_is_not_kept_over_all_spaces_becomes_that_of_the_ids(opened: Database) -> None:
    here = await at(opened, SUPER)
    assert (await here.found(SUPER_ADMIN, domain="*", sort="email")).wish.sort == "id"
    assert (await here.found(SUPER_ADMIN, domain="*", sort="username")).wish.sort == "username"
    assert (await here.found(SUPER_ADMIN, sort="email")).wish.sort == "email"


@asynchronous
async def test_a_space_offers_its_contacts_lists_by_title(opened: Database) -> None:
    tenant, here = await at(opened, TENANT), await at(opened, SUPER)
    titles = [one.title for one in await tenant.search.contacts_lists_of(tenant.space)]
    assert titles == ["Family", "Neighbours"]
    assert await here.search.contacts_lists_of(here.space) == ()
