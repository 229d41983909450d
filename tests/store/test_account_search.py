"""The list of accounts: searched, filtered, sorted and paged on real servers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import Any

import psycopg2
import pytest
import pytest_twisted
from attrs import evolve
from support.application import migrate
from support.postgres import Postgres
from support.reactor import asynchronous, until
from twisted.internet.defer import ensureDeferred

from flexid.base.clock import Clock
from flexid.domain.account_search import (
    ROLES,
    SORTS,
    SORTS_OF_EVERY_SPACE,
    STATUSES,
    AccountLine,
    AccountSearchWish,
    FoundAccounts,
)
from flexid.store import account_landmarks, account_pages, account_search
from flexid.store.account_landmarks import LandmarkKeeper
from flexid.store.database import Database

HERE, ELSEWHERE = "sip.example.org", "other.example.org"
DAY = date(2026, 11, 23)
FEW = {"EXACT": 4, "EXACT_TEXT": 3, "WALKED": 6}
"""Bounds that a handful of accounts exceeds."""
NAMES = (
    ("alice", "alice@example.org", "+33612345678", "Alice Liddell"),
    ("bob", None, "+33687654321", "Bob O'Neil"),
    ("carol_1", "Carol@Example.org", None, None),
    ("carol-1", "c@x.fr", None, "Caroline 100%"),
    ("dörte", None, None, "Dörte Émile"),
    ("eve", "e.v.e@mail.example.com", "+4915112345678", "Back\\slash"),
    ("0042", None, "+12025550123", None),
    ("zoe", "alice.fan@example.org", None, "Zoé"),
    ("漢字", None, None, "山田太郎"),
)


TEXTS: dict[str, set[str]] = {
    "alice": {"alice", "zoe"},
    "ALICE": {"alice", "zoe"},
    "lidd": {"alice"},
    "ddell ali": {"alice"},
    "liddell bob": set(),
    "example.org": {"alice", "carol_1", "zoe", "late"},
    "sip:alice@sip.example.org": {"alice"},
    "alice@sip.ex": {"alice"},
    "alice@other.example.org": set(),
    "alice@example.org": {"alice"},
    "ce@example": {"alice"},
    "+33 6 12 34": {"alice"},
    "336123": {"alice"},
    "06 12 34 56 78": {"alice"},
    "0612345678": {"alice"},
    "12345678": {"alice", "eve"},
    "0042": {"0042"},
    "carol_1": {"carol_1"},
    "carol-1": {"carol-1"},
    "carol.1": set(),
    "%": {"carol-1"},
    "100%": {"carol-1"},
    "l%1": set(),
    "_": {"carol_1"},
    "\\": {"eve"},
    "back\\s": {"eve"},
    "o'n": {"bob"},
    "al": {"alice", "zoe"},
    "fa": {"zoe"},
    "an": set(),
    "é": {"dörte"},
    "ÉMI": {"dörte"},
    "zoé": {"zoe"},
    "dö": {"dörte"},
    "漢": {"漢字"},
    "田太": set(),
    "山田太": {"漢字"},
    "@x": {"carol-1"},
    "v.e": {"eve"},
    "---": set(),
    "'; DROP TABLE accounts; --": set(),
    "\0alice\0": {"alice", "zoe"},
    "\ud800alice": {"alice", "zoe"},
}


@pytest.fixture(scope="session")
def templates() -> dict[int, str]:
    """A migrated database for each server."""
    return {}


@pytest.fixture
def dsn(any_postgres: Postgres, templates: dict[int, str]) -> Iterator[str]:
    template = templates.get(id(any_postgres))
    if template is None:
        template = templates[id(any_postgres)] = any_postgres.create_database()
        pytest_twisted.blockon(ensureDeferred(migrate(template)))
    dsn = any_postgres.create_database(template)
    sql(
        dsn,
        "INSERT INTO spaces (domain, host, name, unique_email) SELECT d, d, d, false FROM unnest(%s) d",
        [HERE, ELSEWHERE],
    )
    yield dsn
    any_postgres.drop_database(dsn)


def sql(dsn: str, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
    connection = psycopg2.connect(dsn)
    with connection, connection.cursor() as cursor:
        cursor.execute(statement, parameters or None)
        rows = cursor.fetchall() if cursor.description else []
    connection.close()
    return rows


def add(dsn: str, username: str, domain: str = HERE, **columns: Any) -> int:
    names = ["username", "domain", *columns]
    places = ", ".join(["%s"] * len(names))
    statement = f"INSERT INTO accounts ({', '.join(names)}) VALUES ({places}) RETURNING id"
    return int(sql(dsn, statement, username, domain, *columns.values())[0][0])


def fill(dsn: str) -> None:
    """Accounts of every kind, in both Spaces, with gaps between their ids."""
    for number, (domain, (username, email, phone, name)) in enumerate(product((HERE, ELSEWHERE), NAMES)):
        add(
            dsn,
            username,
            domain,
            email=email,
            phone=phone,
            display_name=name,
            activated=number % 3 != 0,
            admin=number % 4 == 0,
            blocked=number % 5 == 0,
            updated_at=datetime(2026, 11, 22, 23, 59, 59, tzinfo=UTC) + timedelta(hours=number * 5 % 48),
        )
    sql(dsn, "SELECT setval('accounts_id_seq', 5000)")
    add(dsn, "late", email="late@example.org")
    add(dsn, "gone")
    sql(dsn, "DELETE FROM accounts WHERE username = 'gone'")


async def found(database: Database, domain: str | None = HERE, **query: str) -> FoundAccounts:
    return await account_search.page(database, domain, AccountSearchWish.read(query))


async def names(database: Database, domain: str | None = HERE, **query: str) -> set[str]:
    """Return who is found, where all fit on a page."""
    answer = await found(database, domain, per_page="100", **query)
    assert answer.total == len(answer.lines)
    assert not answer.is_more
    return {line.username for line in answer.lines}


async def all_pages(
    database: Database, domain: str | None, wish: AccountSearchWish, keeper: LandmarkKeeper | None = None
) -> list[AccountLine]:
    """Return the lines of all pages that can be asked for, one after the other."""
    lines: list[AccountLine] = []
    page = 1
    while True:
        answer = await account_search.page(database, domain, evolve(wish, page=page), keeper)
        assert answer.wish == evolve(wish, page=page)
        lines += answer.lines
        if page >= answer.last_page:
            return lines
        page += 1


def key(wish: AccountSearchWish, line: AccountLine) -> tuple[Any, ...]:
    value: Any = STATUSES.index(line.status) if wish.sort == "status" else getattr(line, wish.sort)
    value = value.lower() if isinstance(value, str) else value
    return (value is None, () if value is None else (value,), line.id)


def is_wished(wish: AccountSearchWish, line: AccountLine) -> bool:
    return (
        (wish.role is None or line.admin == (wish.role == "admin"))
        and wish.status in {None, line.status}
        and wish.updated_on in {None, line.updated_at.date()}
    )


FILTERS: tuple[dict[str, Any], ...] = tuple(
    {"role": role, "status": status, "updated_on": day}
    for role, status, day in product((None, *ROLES), (None, *STATUSES), (None, DAY))
)


@pytest.mark.parametrize("bounds", [{}, FEW], ids=["exact", "bounded"])
@asynchronous
async def test_every_filter_in_every_order_shows_each_account_once(
    database: Database, dsn: str, monkeypatch: pytest.MonkeyPatch, bounds: dict[str, int]
) -> None:
    fill(dsn)
    for name, value in bounds.items():
        monkeypatch.setattr(account_search, name, value)
    everyone = [*(await found(database, None, per_page="100")).lines]
    assert len(everyone) == 2 * len(NAMES) + 1
    for filters, sort, descending, domain in product(FILTERS, SORTS, (False, True), (HERE, None)):
        if domain is None and sort not in SORTS_OF_EVERY_SPACE:
            continue
        wish = AccountSearchWish(**filters, sort=sort, descending=descending, per_page=3)
        expected = [line for line in everyone if domain in {None, line.domain} and is_wished(wish, line)]
        expected.sort(key=lambda line, wish=wish: key(wish, line), reverse=descending)  # type: ignore[misc]
        lines = await all_pages(database, domain, wish)
        first = await account_search.page(database, domain, wish)
        assert len(lines) == len({line.id for line in lines})
        assert {line.id for line in lines} <= {line.id for line in expected}
        if first.is_more:
            assert bounds
            assert first.total <= len(expected)
            assert bool(lines) == bool(expected)
        else:
            assert first.total == len(expected)
            # Over all Spaces the same name is sorted by its domain.
            if not (domain is None and sort == "username"):
                assert lines == expected


@asynchronous
async def test_pages_of_everything_are_exact_from_both_ends(database: Database, dsn: str) -> None:
    sql(dsn, "SELECT setval('accounts_id_seq', 4090)")
    for _ in range(3):
        sql(
            dsn,
            "INSERT INTO accounts (username, domain) SELECT 'h' || n, %s FROM generate_series(1, 7) n"
            " ON CONFLICT DO NOTHING",
            HERE,
        )
        sql(
            dsn,
            "INSERT INTO accounts (username, domain) SELECT md5(n::text), %s FROM generate_series(1, 12) n"
            " ON CONFLICT DO NOTHING",
            ELSEWHERE,
        )
    for domain, sort, descending in product((HERE, ELSEWHERE, None), SORTS_OF_EVERY_SPACE, (False, True)):
        wish = AccountSearchWish(sort=sort, descending=descending, per_page=4)
        lines = await all_pages(database, domain, wish)
        assert len(lines) == {HERE: 7, ELSEWHERE: 12, None: 19}[domain]
        assert lines == sorted(lines, key=lambda line: getattr(line, sort), reverse=descending)


@asynchronous
async def test_a_page_beyond_the_end_is_the_last_one(database: Database, dsn: str) -> None:
    fill(dsn)
    for query in ({}, {"sort": "email"}, {"q": "example"}, {"status": "active", "sort": "phone", "order": "desc"}):
        answer = await found(database, page="999999999", per_page="2", **query)
        assert answer.wish.page == answer.last_page > 1
        assert 0 < len(answer.lines) <= 2


@asynchronous
async def test_where_nobody_is_there_is_one_empty_page(database: Database) -> None:
    for query in ({}, {"sort": "email"}, {"q": "alice"}, {"role": "admin"}):
        for domain in (HERE, "nowhere.example.org", None):
            answer = await found(database, domain, page="7", **query)
            assert (answer.lines, answer.total, answer.wish.page, answer.last_page) == ((), 0, 1, 1)


@asynchronous
async def test_texts_find_parts_of_fields_and_beginnings_of_words(database: Database, dsn: str) -> None:
    fill(dsn)
    assert {text: await names(database, q=text) for text in TEXTS} == TEXTS


@asynchronous
async def test_a_whole_address_finds_those_whose_it_is(database: Database, dsn: str) -> None:
    fill(dsn)
    add(dsn, "malice", email="malice@example.org", phone="+336123456789")
    add(dsn, "old_alice", email="Alice@Example.org")
    assert await names(database, q="alice@example.org") == {"alice", "old_alice"}
    assert await names(database, q="lice@example.org") == {"alice", "old_alice", "malice"}
    assert await names(database, q="alice@example.or") == {"alice", "old_alice", "malice"}
    assert await names(database, q="malice@sip.example.org") == {"malice"}
    assert await names(database, q="alice@example.org", role="user") == {"old_alice"}
    for phone in ("+33612345678", "+33 6 12 34 56 78", "0033 612 345 678", "0612345678", "06.12.34.56.78"):
        assert await names(database, q=phone) == {"alice"}
    for phone in ("+3361234567", "061234567", "33612345678"):
        assert await names(database, q=phone) == {"alice", "malice"}


@asynchronous
async def test_texts_and_filters_hold_together(database: Database, dsn: str) -> None:
    fill(dsn)
    assert await names(database, q="example", status="blocked") == {"alice", "eve"}
    assert await names(database, q="example", role="admin") == {"alice"}
    assert await names(database, None, q="liddell") == {"alice"}
    answer = await found(database, None, q="liddell")
    assert [line.domain for line in answer.lines] == [HERE, ELSEWHERE]


@asynchronous
async def test_members_of_a_contacts_list_are_found_in_its_space_only(database: Database, dsn: str) -> None:
    fill(dsn)
    (own,), (other,) = sql(
        dsn,
        "INSERT INTO contacts_lists (space_id, title)"
        " SELECT id, 'friends' FROM spaces WHERE domain IN (%s, %s) ORDER BY domain DESC RETURNING id",
        HERE,
        ELSEWHERE,
    )
    sql(
        dsn,
        "INSERT INTO contacts_list_contact (contacts_list_id, contact_id) SELECT l, a.id FROM accounts a,"
        " unnest(%s) l WHERE username IN ('alice', 'bob')",
        [own, other],
    )
    assert await names(database, contacts_list=str(own)) == {"alice", "bob"}
    assert await names(database, contacts_list=str(own), q="liddell") == {"alice"}
    assert await names(database, contacts_list=str(other)) == set()
    assert await names(database, contacts_list="999") == set()
    assert {line.domain for line in (await found(database, None, contacts_list=str(own))).lines} == {HERE, ELSEWHERE}
    space = sql(dsn, "SELECT id FROM spaces WHERE domain = %s", HERE)[0][0]
    assert [(one.id, one.title) for one in await account_search.contacts_lists(database, space)] == [(own, "friends")]


@asynchronous
async def test_a_day_is_one_in_utc(database: Database, dsn: str) -> None:
    for username, moment in (
        ("before", "2026-11-22 23:59:59.999999+00"),
        ("first", "2026-11-23 00:00:00+00"),
        ("last", "2026-11-23 23:59:59.999999+00"),
        ("after", "2026-11-24 00:00:00+00"),
    ):
        add(dsn, username, updated_at=moment)
    assert await names(database, updated_on="2026-11-23") == {"first", "last"}
    assert await names(database, updated_on="9999-12-31") == set()
    assert await names(database, updated_on="0001-01-01") == set()


def has_clerks(dsn: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """Create 400 of them, of whom the last 200 have an address; return of how many with one a sample consists."""
    sql(
        dsn,
        "INSERT INTO accounts (username, domain, email, display_name)"
        " SELECT 'clerk' || lpad(n::text, 3, '0'), %s, CASE WHEN n > 200 THEN 'c@example.org' END,"
        " CASE WHEN n %% 20 = 7 THEN 'Dodo' WHEN n %% 15 = 4 THEN 'Gryphon' END FROM generate_series(1, 400) n",
        HERE,
    )
    for name, value in {"EXACT": 10, "EXACT_TEXT": 20, "COMMON": 2, "WALKED": 40}.items():
        monkeypatch.setattr(account_search, name, value)
    return int(sql(dsn, "SELECT count(email) FROM accounts WHERE (hashint8(id) & 63) = 0")[0][0])


@asynchronous
async def test_too_many_are_said_to_be_more(database: Database, dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sampled = has_clerks(dsn, monkeypatch)
    common = await found(database, q="clerk", per_page="2", sort="username")
    assert (common.total, common.is_more, common.last_page) == (40, True, 20)
    assert [line.username for line in common.lines] == ["clerk001", "clerk002"]
    # None of those that are looked at first: a sample is shown.
    behind = await found(database, q="example", per_page="2", sort="username")
    assert sampled >= 2
    assert (behind.total, behind.is_more, len(behind.lines)) == (sampled, True, 2)
    assert all(line.email for line in behind.lines)
    rare = await found(database, q="dodo", per_page="2", sort="username", order="desc")
    assert (rare.total, rare.is_more) == (20, False)
    assert [line.username for line in rare.lines] == ["clerk387", "clerk367"]
    # More than are counted, and not common: the first of them in a small Space, in a larger one any.
    more = await found(database, q="gryphon", per_page="2", sort="username")
    assert (more.total, more.is_more, [line.username for line in more.lines]) == (20, True, ["clerk004", "clerk019"])
    monkeypatch.setattr(account_search, "WALKED", 30)
    any_ = await found(database, q="gryphon", per_page="2", sort="username")
    assert (any_.total, any_.is_more, any_.last_page, len(any_.lines)) == (20, True, 10, 2)


@asynchronous
async def test_too_many_of_a_filter_are_said_to_be_more(
    database: Database, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    has_clerks(dsn, monkeypatch)
    filtered = await found(database, status="inactive", per_page="2")
    assert (filtered.total, filtered.is_more, filtered.last_page) == (40, True, 20)
    reversed_ = await found(database, status="inactive", per_page="2", order="desc")
    assert [line.username for line in reversed_.lines] == ["clerk400", "clerk399"]


def close_landmarks(monkeypatch: pytest.MonkeyPatch, apart: int) -> None:
    for module in (account_landmarks, account_pages):
        monkeypatch.setattr(module, "APART", apart)
    monkeypatch.setattr(account_pages, "NEAR", -1)


@pytest.mark.parametrize("apart", [1, 4])
@asynchronous
async def test_pages_by_landmarks_are_those_that_counting_gives(
    database: Database, dsn: str, monkeypatch: pytest.MonkeyPatch, apart: int
) -> None:
    fill(dsn)
    counted = {}
    combinations = [
        (domain, sort, descending)
        for domain, sort, descending in product((HERE, ELSEWHERE, None), SORTS, (False, True))
        if domain is not None or sort in SORTS_OF_EVERY_SPACE
    ]
    for domain, sort, descending in combinations:
        wish = AccountSearchWish(sort=sort, descending=descending, per_page=3)
        counted[domain, sort, descending] = await all_pages(database, domain, wish)
    close_landmarks(monkeypatch, apart)
    for (domain, sort, descending), lines in counted.items():
        keeper = LandmarkKeeper(database, Clock())
        if sort != "id":
            await keeper.seek(domain, sort, len(lines))
            assert keeper.find(domain, sort, len(lines))
        wish = AccountSearchWish(sort=sort, descending=descending, per_page=3)
        assert await all_pages(database, domain, wish, keeper) == lines


@asynchronous
async def test_landmarks_are_found_behind_the_back_of_the_first_who_pages_deeply(
    database: Database, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(dsn)
    close_landmarks(monkeypatch, 4)
    now = 1000.0
    keeper = LandmarkKeeper(database, Clock(lambda: now))
    wish = AccountSearchWish(sort="email", per_page=3, page=2)
    first = await account_search.page(database, HERE, wish, keeper)
    await until(lambda: keeper.find(HERE, "email", first.total) is not None)
    assert await account_search.page(database, HERE, wish, keeper) == first
    now += account_landmarks.USABLE
    assert keeper.find(HERE, "email", first.total) is None
    await until(lambda: keeper.find(HERE, "email", first.total) is not None)


@asynchronous
async def test_landmarks_that_stand_elsewhere_by_now_are_not_used(database: Database, dsn: str) -> None:
    fill(dsn)
    keeper = LandmarkKeeper(database, Clock())
    await keeper.seek(HERE, "email", 10_000)
    assert keeper.find(HERE, "email", 10_100) is not None
    assert keeper.find(HERE, "email", 10_300) is None
    assert keeper.find(HERE, "phone", 10_000) is None
    assert keeper.find(ELSEWHERE, "email", 10_000) is None
