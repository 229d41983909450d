"""PostgreSQL's errors in words of ours."""

import traceback

import pytest
from support.reactor import asynchronous

from flexid.domain.errors import Unavailable
from flexid.store.database import Database
from flexid.store.failures import ConstraintViolated, Contended, QueryFailed
from flexid.store.query import Query

MAKE = Query(
    "make",
    """
    CREATE TABLE things (id int CONSTRAINT one_each PRIMARY KEY, name text NOT NULL, CONSTRAINT short CHECK (id < 10))
    """,
    prepare=False,
)
ADD = Query("add a thing", "INSERT INTO things (id, name) VALUES (%(id)s, %(name)s)")
SECRET = "correct horse"


@asynchronous
async def test_a_violated_constraint_is_named(database: Database) -> None:
    await database.run(MAKE)
    await database.run(ADD, id=1, name="a")
    with pytest.raises(ConstraintViolated, match=r"^add a thing: violates one_each$") as duplicate:
        await database.run(ADD, id=1, name=SECRET)
    assert duplicate.value.constraint == "one_each"
    with pytest.raises(ConstraintViolated) as too_long:
        await database.run(ADD, id=11, name="a")
    assert too_long.value.constraint == "short"


@asynchronous
async def test_a_missing_value_names_its_column(database: Database) -> None:
    await database.run(MAKE)
    with pytest.raises(ConstraintViolated) as missing:
        await database.run(ADD, id=1, name=None)
    assert (missing.value.constraint, missing.value.column) == ("", "name")


@asynchronous
async def test_a_trigger_may_raise_a_violation_of_its_own(database: Database) -> None:
    rule = "DO $$ BEGIN RAISE 'no' USING CONSTRAINT = 'house_rule', ERRCODE = 'P0001'; END $$"
    with pytest.raises(ConstraintViolated) as refused:
        await database.run(Query("rule", rule, prepare=False))
    assert refused.value.constraint == "house_rule"


@pytest.mark.parametrize(
    "sqlstate", ["53100", "53200", "53300", "25006", "57014", "57P01", "57P02", "57P03", "08006", "58030"]
)
@asynchronous
async def test_what_passes_by_itself_makes_the_database_unavailable(database: Database, sqlstate: str) -> None:
    with pytest.raises(Unavailable):
        await database.run(Query("raise", f"DO $$ BEGIN RAISE SQLSTATE '{sqlstate}'; END $$", prepare=False))


@asynchronous
async def test_who_may_only_read_finds_it_unavailable_for_writes(database: Database) -> None:
    await database.run(MAKE)
    with pytest.raises(Unavailable):  # noqa: PT012  # the whole transaction is what fails
        async with database.transaction() as transaction:
            await transaction.run(Query("only read", "SET TRANSACTION READ ONLY", prepare=False))
            await transaction.run(ADD, id=1, name="a")
    assert await database.run(Query("read", "SELECT id FROM things")) == []


@pytest.mark.parametrize("sqlstate", ["40001", "40P01", "55P03"])
@asynchronous
async def test_contention_is_told_apart(database: Database, sqlstate: str) -> None:
    with pytest.raises(Contended):
        await database.run(Query("raise", f"DO $$ BEGIN RAISE SQLSTATE '{sqlstate}'; END $$", prepare=False))


@asynchronous
async def test_a_mistake_in_a_statement_is_explained(database: Database) -> None:
    with pytest.raises(QueryFailed, match='wrong: UndefinedColumn, column "nam" does not exist') as wrong:
        await database.run(Query("wrong", "SELECT nam FROM (SELECT 1 AS name) x"))
    assert wrong.value.sqlstate == "42703"


@pytest.mark.parametrize("prepare", [True, False])
@asynchronous
async def test_no_error_shows_what_was_bound(database: Database, prepare: bool) -> None:  # noqa: FBT001
    await database.run(MAKE)
    add = Query("add", "INSERT INTO things (id, name) VALUES (%(id)s::text::int, %(name)s)", prepare=prepare)
    await database.run(add, id="1", name="a")
    for number, name in ((SECRET, "a"), ("1", SECRET), ("11", SECRET), (f"{SECRET}'", SECRET)):
        with pytest.raises((QueryFailed, ConstraintViolated)) as refused:
            await database.run(add, id=number, name=name)
        shown = "".join(traceback.format_exception(refused.value)) + repr(vars(refused.value))
        assert SECRET not in shown
        assert refused.value.__context__ is None
