"""The whole application on a database of its own, and who uses it."""

from __future__ import annotations

import hashlib
import os
from typing import Any

import psycopg2
from attrs import define, field
from psycopg2.extras import RealDictCursor
from support.portal import Visitor
from support.web import Browser
from twisted.internet import reactor
from twisted.internet.defer import Deferred, DeferredList, ensureDeferred

from flexid.base.clock import Clock
from flexid.base.settings import Settings
from flexid.domain.phones import all_countries
from flexid.http.site import make_site
from flexid.outbound.outside import connect
from flexid.services.catalogue import Services, build
from flexid.store import migrations, phone_countries
from flexid.store.database import Database

SUPER = "localhost"
TENANT = "tenant.example.org"
TENANT_HOST = "tenant.localhost"


@define
class Offset:
    """How far the application's clock is ahead, in seconds; tests move it."""

    seconds: float = 0.0


@define
class Application:
    """A super Space on `localhost`, `tenant.example.org` on `tenant.localhost`, and an administrator of each."""

    services: Services
    database: Database
    dsn: str
    ahead: Offset
    browser: Browser
    problems: dict[str, str] = field(factory=dict)
    _heard: dict[str, Deferred[None]] = field(factory=dict)

    @property
    def nobody(self) -> Browser:
        return self.browser.at(TENANT_HOST)

    @property
    def admin(self) -> Browser:
        return self.nobody.as_(x_api_key="tenant-admin")

    @property
    def super_admin(self) -> Browser:
        return self.browser.as_(x_api_key="super-admin")

    async def has_account(self, username: str, **fields: Any) -> dict[str, Any]:
        """Return a new account of the tenant, activated, with the password `<username>_password`."""
        password = fields.pop("password", f"{username}_password")
        reply = await self.admin.post(
            "/api/accounts", {"username": username, "password": password, "activated": True, **fields}
        )
        assert reply.status == 200, reply.text
        account: dict[str, Any] = reply.json
        return account

    def key_of(self, account: dict[str, Any], ip: str | None = None) -> str:
        """Return an API key of an account."""
        key = f"key of {account['username']}"
        self.sql(
            "INSERT INTO api_keys (account_id, kind, key_hash, key_start, ip) VALUES (%s, 'user', %s, 'key', %s)",
            account["id"],
            hashlib.sha256(key.encode()).digest(),
            ip,
        )
        return key

    def user(self, account: dict[str, Any]) -> Browser:
        """Return the browser of somebody who holds a key of an account."""
        return self.nobody.as_(x_api_key=self.key_of(account))

    def visitor(self, host: str = TENANT_HOST) -> Visitor:
        """Return somebody before a browser who is not signed in."""
        return Visitor(self.browser.at(host))

    async def signed_in(self, username: str, password: str | None = None, host: str = TENANT_HOST) -> Visitor:
        """Return somebody who has signed in to the portal of the tenant."""
        visitor = self.visitor(host)
        reply = await visitor.sign_in(username, password or f"{username}_password")
        assert (reply.status, reply.headers["Location"]) == (303, "/dashboard"), reply.text
        return visitor

    async def chief(self) -> Visitor:
        """Return a new administrator of the tenant, signed in to its portal."""
        await self.has_account("chief", admin=True)
        return await self.signed_in("chief")

    async def boss(self, host: str = TENANT_HOST) -> Visitor:
        """Return a new super administrator, signed in to a portal."""
        boss = {"username": "boss", "password": "boss_password", "admin": True}
        assert (await self.super_admin.post("/api/accounts", boss)).status == 200
        return await self.signed_in(f"boss@{SUPER}", "boss_password", host)

    async def change(self, statement: str, *parameters: Any) -> None:
        """Change something beside the application, and wait until it has heard of it."""
        self.sql(statement, *parameters)
        payload = f"told {len(self._heard)}"
        heard = self._heard[payload] = Deferred()
        self.sql("SELECT pg_notify('flexid_test', %s)", payload)
        await heard

    def sql(self, statement: str, *parameters: Any) -> list[dict[str, Any]]:
        """Run a statement beside the application."""
        connection = psycopg2.connect(self.dsn, cursor_factory=RealDictCursor)
        try:
            with connection, connection.cursor() as cursor:
                named = parameters[0] if parameters and isinstance(parameters[0], dict) else parameters
                cursor.execute(statement, named or None)
                return [dict(row) for row in cursor.fetchall()] if cursor.description else []
        finally:
            connection.close()


async def migrate(dsn: str) -> None:
    """Bring an empty database up to date."""
    database = Database(reactor, dsn, 2)
    await database.start()
    await migrations.apply(database, lambda runner: phone_countries.update(runner, all_countries()))
    await database.stop()


def fill(dsn: str) -> None:
    """Put the two Spaces and their administrators into a migrated database."""
    connection = psycopg2.connect(dsn)
    with connection, connection.cursor() as cursor:
        for domain, host, is_super, key in (
            (SUPER, "localhost", True, "super-admin"),
            (TENANT, TENANT_HOST, False, "tenant-admin"),
        ):
            cursor.execute(
                "INSERT INTO spaces (domain, host, name, super) VALUES (%s, %s, %s, %s) RETURNING id",
                (domain, host, f"Space of {domain}", is_super),
            )
            cursor.execute(
                "INSERT INTO space_digest_authentication_configurations (space_id, realm) VALUES (%s, %s)",
                (_id(cursor), domain),
            )
            cursor.execute(
                "INSERT INTO accounts (username, domain, admin, activated)"
                " VALUES ('admin', %s, true, true) RETURNING id",
                (domain,),
            )
            cursor.execute(
                "INSERT INTO api_keys (account_id, kind, name, key_hash, key_start) VALUES (%s, 'admin', 'a', %s, 'a')",
                (_id(cursor), hashlib.sha256(key.encode()).digest()),
            )
    connection.close()


def _id(cursor: Any) -> int:
    (number,) = cursor.fetchone()
    return int(number)


async def start(dsn: str, **settings: Any) -> Application:
    """Return the application, running on a database that was filled."""
    configuration = Settings(**settings)
    ahead, real = Offset(), Clock()
    clock = Clock(lambda: real.seconds() + ahead.seconds)
    database = Database(reactor, dsn, 8)
    services = build(configuration, database, clock, connect(reactor, configuration, os.environ))
    problems: dict[str, str] = {}

    async def ready() -> dict[str, str]:
        return problems

    site = make_site(services, configuration, reactor, ready)
    services.watch()
    application = Application(services, database, dsn, ahead, Browser(site), problems)
    listening: Deferred[None] = Deferred()
    database.listen(
        "flexid_test",
        lambda payload: application._heard[payload].callback(None),
        lambda: None,
        lambda: None if listening.called else listening.callback(None),
    )
    await database.start()
    await database.connected(5)
    await listening
    return application


async def at_once(*coroutines: Any) -> list[Any]:
    """Run coroutines side by side and return their results."""
    outcomes = await DeferredList([ensureDeferred(one) for one in coroutines], fireOnOneErrback=True)
    return [result for _, result in outcomes]
