"""What waits to be delivered, on real servers."""

from __future__ import annotations

import pytest
from pytest_twisted import ensureDeferred
from support.application import migrate

from flexid.domain.outbox import Outgoing
from flexid.store import outbox
from flexid.store.database import Database
from flexid.store.failures import ReferenceGone
from flexid.store.query import Query

WAITING = Query("what waits", "SELECT channel, domain, payload, state, attempts FROM outbox ORDER BY id")
NEW_SPACE = Query("a Space", "INSERT INTO spaces (domain, host, name) VALUES ('a.org', 'a.org', 'A')")
MAIL = Outgoing("mail", {"to": "alice@a.org", "code": "1234"}, "a.org")


@ensureDeferred
async def test_what_is_put_into_the_outbox_waits_there_once_its_cause_is_committed(
    dsn: str, database: Database
) -> None:
    await migrate(dsn)
    async with database.transaction() as transaction:
        await transaction.run(NEW_SPACE)
        await outbox.put(transaction, MAIL)
        await outbox.put(transaction, Outgoing("registrar", {"channel": "alice@a.org"}))
        assert await database.run(WAITING) == []
    waiting = {"state": "waiting", "attempts": 0}
    assert await database.run(WAITING) == [
        {"channel": "mail", "domain": "a.org", "payload": {"to": "alice@a.org", "code": "1234"}, **waiting},
        {"channel": "registrar", "domain": None, "payload": {"channel": "alice@a.org"}, **waiting},
    ]


@ensureDeferred
async def test_nothing_waits_of_what_did_not_come_about(dsn: str, database: Database) -> None:
    await migrate(dsn)

    async def fail() -> None:
        async with database.transaction() as transaction:
            await transaction.run(NEW_SPACE)
            await outbox.put(transaction, MAIL)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await database.run(WAITING) == []
    with pytest.raises(ReferenceGone):
        await outbox.put(database, MAIL)


def test_what_is_to_be_delivered_does_not_show_in_logs() -> None:
    assert "1234" not in repr(MAIL)
