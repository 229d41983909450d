"""The schema is brought up to date once, whole, and never past what the program knows."""

from __future__ import annotations

from pathlib import Path

import pytest
from attrs import evolve
from support.reactor import asynchronous
from twisted.internet.defer import DeferredList, ensureDeferred

from flexid.store import migrations
from flexid.store.database import Database
from flexid.store.failures import QueryFailed
from flexid.store.migrations import FOLDER, Migration, SchemaMismatch, shipped
from flexid.store.query import Query, Runner

FIRST = Migration(1, "first", "CREATE TABLE first (n integer)")
SECOND = Migration(2, "second", "ALTER TABLE first ADD COLUMN m integer; INSERT INTO first VALUES (1, 2)")
BROKEN = Migration(2, "broken", "CREATE TABLE half (n integer); SELECT * FROM nothing")
ROWS = Query("rows of the first table", "SELECT * FROM first", prepare=False)
NAMES = Query("tables", "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1", prepare=False)
MARK = Query("mark", "INSERT INTO first (n) VALUES (42)", prepare=False)


async def nothing(_: Runner) -> None:
    """Fill in nothing."""


async def tables(database: Database) -> list[str]:
    return [row["name"] for row in await database.run(NAMES)]


@asynchronous
async def test_an_empty_database_has_everything_pending(database: Database) -> None:
    status = await migrations.status(database, (FIRST, SECOND))
    assert (status.version, status.applied, status.pending) == (0, (), (FIRST, SECOND))


@asynchronous
async def test_steps_are_taken_in_order_and_remembered(database: Database) -> None:
    assert await migrations.apply(database, nothing, (FIRST,)) == (FIRST,)
    assert await migrations.apply(database, nothing, (FIRST, SECOND)) == (SECOND,)
    assert await migrations.apply(database, nothing, (FIRST, SECOND)) == ()
    assert await database.run(ROWS) == [{"n": 1, "m": 2}]
    assert (await migrations.status(database, (FIRST, SECOND))).version == 2


@asynchronous
async def test_of_two_that_start_at_once_one_applies(database: Database) -> None:
    both = await DeferredList(
        [ensureDeferred(migrations.apply(database, nothing, (FIRST, SECOND))) for _ in range(2)],
        fireOnOneErrback=True,
    )
    taken = [step for _, steps in both for step in steps]
    assert sorted(taken, key=lambda step: step.version) == [FIRST, SECOND]


@asynchronous
async def test_a_step_that_fails_leaves_nothing_behind(database: Database) -> None:
    with pytest.raises(QueryFailed):
        await migrations.apply(database, nothing, (FIRST, BROKEN))
    assert await tables(database) == ["first", "schema_migrations"]
    assert (await migrations.status(database, (FIRST, SECOND))).pending == (SECOND,)


@asynchronous
async def test_what_is_filled_in_comes_with_the_last_step_or_not_at_all(database: Database) -> None:
    async def fail(runner: Runner) -> None:
        await runner.run(MARK)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await migrations.apply(database, fail, (FIRST, SECOND))
    assert (await migrations.status(database, (FIRST, SECOND))).pending == (SECOND,)
    assert await database.run(ROWS) == []


@asynchronous
async def test_nothing_is_filled_in_where_nothing_is_applied(database: Database) -> None:
    await migrations.apply(database, nothing, (FIRST,))
    await migrations.apply(database, lambda runner: runner.run(MARK), (FIRST,))
    assert await database.run(ROWS) == []


@asynchronous
async def test_a_database_of_a_newer_program_is_refused(database: Database) -> None:
    await migrations.apply(database, nothing, (FIRST, SECOND))
    with pytest.raises(SchemaMismatch, match="migration 0002_second, and this program knows none beyond 0001"):
        await migrations.apply(database, nothing, (FIRST,))


@asynchronous
async def test_a_file_that_was_changed_after_it_was_applied_is_refused(database: Database) -> None:
    await migrations.apply(database, nothing, (FIRST,))
    with pytest.raises(SchemaMismatch, match="another migration 0001_first"):
        await migrations.status(database, (evolve(FIRST, sql="CREATE TABLE second ()"),))


@asynchronous
async def test_all_that_we_ship_applies_to_an_empty_database(database: Database) -> None:
    assert await migrations.apply(database, nothing) == shipped()
    assert {"accounts", "api_keys", "spaces"} <= set(await tables(database))


def test_the_versions_that_we_ship_follow_each_other() -> None:
    assert [step.version for step in shipped()] == list(range(1, len(list(FOLDER.iterdir())) + 1))


def test_files_of_another_name_are_no_migrations(tmp_path: Path) -> None:
    for name in ("0002_b.sql", "0001_a.sql", "notes.sql", "0003_c.txt"):
        (tmp_path / name).write_text(name)
    assert [str(step) for step in shipped(tmp_path)] == ["0001_a", "0002_b"]
