"""What goes into statements and what comes back."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from support.reactor import asynchronous

from flexid.store.database import Database
from flexid.store.query import Json, Query


@pytest.mark.parametrize("prepare", [True, False])
@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("text", 'O\'Brien \\ %s %% {"é"}'),
        ("text", None),
        ("bigint", 2**60),
        ("boolean", False),
        ("numeric", Decimal("1.50")),
        ("bytea", b"\x00\xff'\\"),
        ("date", date(2024, 2, 29)),
        ("interval", timedelta(days=1, seconds=2, microseconds=3)),
        ("timestamptz", datetime(2024, 2, 29, 12, 30, tzinfo=UTC)),
        ("bigint[]", []),
        ("bigint[]", [1, None, 3]),
        ("text[]", ['a "quoted" word', "back\\slash", "{curly}, comma", "NULL", ""]),
        ("text[]", [["a", "b"], ["c", "d"]]),
        ("boolean[]", [True, False]),
        ("timestamptz[]", [datetime(2024, 2, 29, 12, 30, tzinfo=UTC)]),
        ("interval[]", [timedelta(days=1, seconds=2, microseconds=3)]),
    ],
)
@asynchronous
async def test_a_value_comes_back_as_it_went(database: Database, kind: str, value: Any, prepare: bool) -> None:  # noqa: FBT001
    query = Query("echo", f"SELECT %(value)s::{kind} AS value", prepare=prepare)
    rows = await database.run(query, value=value)
    assert rows == [{"value": value}]
    assert type(rows[0]["value"]) is type(value)


@pytest.mark.parametrize("document", [None, {"a": [1, {"ü": "'\\\""}]}, "text", 1.5])
@asynchronous
async def test_json_goes_wrapped_and_comes_back_parsed(database: Database, document: Any) -> None:
    query = Query("echo", "SELECT %(value)s::jsonb AS value, ARRAY[%(value)s::json] AS many")
    assert await database.run(query, value=Json(document)) == [{"value": document, "many": [document]}]


@asynchronous
async def test_json_and_bytes_fit_into_arrays(database: Database) -> None:
    query = Query("echo", "SELECT %(documents)s::jsonb[] AS documents, encode((%(bytes)s::bytea[])[1], 'hex') AS bytes")
    rows = await database.run(query, documents=[Json({"a": '"'}), Json([])], bytes=[b"\x00\xff"])
    assert rows == [{"documents": [{"a": '"'}, []], "bytes": "00ff"}]


@asynchronous
async def test_a_list_takes_the_type_of_where_it_stands(database: Database) -> None:
    query = Query("echo", "SELECT '0190163d-8694-739b-aea5-966c26f8ad91'::uuid = ANY(%(ids)s) AS found")
    assert await database.run(query, ids=["0190163d-8694-739b-aea5-966c26f8ad91"]) == [{"found": True}]


@asynchronous
async def test_times_come_back_in_utc_whatever_the_database_says(database: Database) -> None:
    await database.run(
        Query(
            "zone",
            "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET TimeZone = %L', current_database(), "
            "'Asia/Tokyo'); END $$",
            prepare=False,
        )
    )
    [row] = await database.run(Query("time", "SELECT '2024-02-29 12:30:00+09'::timestamptz AS at"))
    assert row["at"] == datetime(2024, 2, 29, 3, 30, tzinfo=UTC)
    assert row["at"].tzinfo is UTC


@asynchronous
async def test_several_rows_come_as_several_dictionaries(database: Database) -> None:
    query = Query("count", "SELECT n, n * n AS square FROM generate_series(1, %(last)s) n")
    assert await database.run(query, last=2) == [{"n": 1, "square": 1}, {"n": 2, "square": 4}]
    assert await database.run(query, last=0) == []


@asynchronous
async def test_a_statement_without_parameters_may_hold_percent_signs(database: Database) -> None:
    assert await database.run(Query("like", "SELECT 'abc' LIKE 'a%' AS alike")) == [{"alike": True}]


@asynchronous
async def test_a_statement_with_parameters_doubles_its_percent_signs(database: Database) -> None:
    for prepare in (True, False):
        query = Query("like", "SELECT %(word)s::text LIKE 'a%%' AND %(word)s <> '' AS alike", prepare=prepare)
        assert await database.run(query, word="abc") == [{"alike": True}]


@asynchronous
async def test_a_missing_parameter_is_an_error_of_the_caller_only(database: Database) -> None:
    query = Query("echo", "SELECT %(value)s::text AS value")
    for _ in range(2 * database.size):
        with pytest.raises(KeyError, match="value"):
            await database.run(query)
        with pytest.raises(ValueError, match="NUL"):
            await database.run(query, value="\0")
    assert database.busy == 0
    assert await database.run(query, value="x") == [{"value": "x"}]


@asynchronous
async def test_a_value_that_python_cannot_hold_is_an_error_of_the_caller_only(database: Database) -> None:
    for _ in range(2 * database.size):
        with pytest.raises(ValueError, match="year"):
            await database.run(Query("old", "SELECT '0044-03-15 BC'::date AS ides"))
    assert database.busy == 0
