"""What is said by NOTIFY is heard, and it is known when it is not."""

from collections.abc import Callable

import pytest
from attrs import define, field
from store.conftest import Logged, Opened
from support.postgres import Postgres
from support.reactor import asynchronous, reactor, until
from twisted.internet.task import deferLater

from flexid.store import listener
from flexid.store.database import Database
from flexid.store.failures import QueryFailed


@define
class Ear:
    """What a subscriber was told."""

    heard: list[str] = field(factory=list)
    lost: int = 0
    regained: int = 0

    def listen(self, database: Database, channel: str) -> None:
        database.listen(channel, self.heard.append, self._lose, self._regain)

    def _lose(self) -> None:
        self.lost += 1

    def _regain(self) -> None:
        self.regained += 1


@asynchronous
async def test_each_channel_is_heard_by_its_own(opened: Opened, any_postgres: Postgres, dsn: str) -> None:
    database, news, gossip = opened(), Ear(), Ear()
    news.listen(database, "news")
    gossip.listen(database, "Village Gossip")
    assert not database.listening
    await database.start()
    await until(lambda: database.listening)
    assert (news.regained, gossip.regained) == (1, 1)
    any_postgres.sql("NOTIFY news, 'first'; NOTIFY news, 'second'; NOTIFY \"Village Gossip\", 'hm'; NOTIFY other", dsn)
    await until(lambda: len(news.heard) == 2 and len(gossip.heard) == 1)
    assert news.heard == ["first", "second"]
    assert gossip.heard == ["hm"]
    assert (news.lost, gossip.lost) == (0, 0)


@asynchronous
async def test_who_subscribes_later_hears_too(opened: Opened, any_postgres: Postgres, dsn: str) -> None:
    database, early, late = opened(), Ear(), Ear()
    await database.start()
    early.listen(database, "early")
    await until(lambda: database.listening)
    late.listen(database, "late")
    await until(lambda: late.regained == 1)
    assert (early.lost, early.regained) == (1, 2)
    any_postgres.sql("NOTIFY late, 'a'; NOTIFY early, 'b'", dsn)
    await until(lambda: late.heard == ["a"] and early.heard == ["b"])


def _fast(postgres: Postgres) -> None:
    postgres.restart()


def _crash(postgres: Postgres) -> None:
    postgres.kill()
    postgres.start()


@pytest.mark.parametrize("fault", [_fast, _crash])
@asynchronous
async def test_listening_is_restored_after_a_loss(
    opened: Opened, any_postgres: Postgres, dsn: str, fault: Callable[[Postgres], None]
) -> None:
    database, ear = opened(), Ear()
    ear.listen(database, "news")
    await database.start()
    await until(lambda: ear.regained == 1)
    fault(any_postgres)
    await until(lambda: ear.regained == 2)
    assert ear.lost == 1
    any_postgres.sql("NOTIFY news, 'again'", dsn)
    await until(lambda: ear.heard == ["again"])


@asynchronous
async def test_a_frozen_server_is_a_loss(
    opened: Opened, any_postgres: Postgres, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "BETWEEN_PULSES", 0.2)
    database, ear = opened(answer=0.4), Ear()
    ear.listen(database, "news")
    await database.start()
    await until(lambda: database.listening)
    await deferLater(reactor, 0.5, lambda: None)  # pulses that are answered do no harm
    assert ear.lost == 0
    any_postgres.freeze()
    await until(lambda: not database.listening, within=1)
    assert ear.lost == 1
    any_postgres.thaw()
    await until(lambda: database.listening)
    any_postgres.sql("NOTIFY news, 'thawed'", dsn)
    await until(lambda: ear.heard == ["thawed"])


@asynchronous
async def test_a_channel_without_a_name_is_complained_about(
    opened: Opened, any_postgres: Postgres, dsn: str, logged: Logged
) -> None:
    database = opened(size=0)
    Ear().listen(database, "")
    await database.start()
    await until(lambda: bool(logged.errors()))
    assert [event["log_failure"].type for event in logged.errors()] == [QueryFailed]
    logged.events.clear()
    count = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'flexid'"
    await until(lambda: any_postgres.sql(count, dsn) == [(0,)])


@asynchronous
async def test_an_ear_that_fails_does_not_deafen_the_others(
    opened: Opened, any_postgres: Postgres, dsn: str, logged: Logged
) -> None:
    database, ear = opened(), Ear()

    def fail(*_: str) -> None:
        raise LookupError

    database.listen("news", fail, fail, fail)
    ear.listen(database, "news")
    await database.start()
    await until(lambda: ear.regained == 1)
    any_postgres.sql("NOTIFY news, 'a'", dsn)
    await until(lambda: ear.heard == ["a"])
    assert [event["log_failure"].type for event in logged.errors()] == [LookupError] * 2
    logged.events.clear()
    await database.stop()
    assert [event["log_failure"].type for event in logged.errors()] == [LookupError]
    logged.events.clear()
