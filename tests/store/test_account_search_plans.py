"""No search and no page of the list of accounts walks through all of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import product
from typing import Any

import psycopg2
import pytest
import pytest_twisted
from psycopg2 import extensions
from support.application import migrate
from support.postgres import Postgres
from twisted.internet.defer import ensureDeferred

from flexid.domain.account_search import SORTS, SORTS_OF_EVERY_SPACE, AccountSearchWish, Sort
from flexid.domain.search_text import SearchText
from flexid.store.account_criteria import criteria, exact_condition, is_indexed, parameters
from flexid.store.account_gathering import counting, gathering, searching, walking
from flexid.store.account_landmarks import from_landmark, seeking
from flexid.store.account_pages import NEWEST, NEWEST_OF_ALL, OLDEST, OLDEST_OF_ALL, from_start, sorted_page
from flexid.store.account_search import CONTACTS_LISTS
from flexid.store.connector import with_settings
from flexid.store.filtered_accounts import filtering
from flexid.store.query import Query

DOMAIN = "s3.example.org"
BOUND = {"domain": DOMAIN, "offset": 100, "per_page": 20, "space_id": 1}
INDEX_OF = {
    "id": "accounts_by_page",
    "username": "accounts_by_username",
    "email": "accounts_by_email_in_domain",
    "phone": "accounts_by_phone_in_domain",
    "status": "accounts_by_status",
    "updated_at": "accounts_by_change",
}
FILTERS = (
    {"q": "user_12"},
    {"q": "alice u"},
    {"q": "@"},
    {"q": "sip:user_12@s3.example.org"},
    {"q": "06 12 34 56"},
    {"q": "+33 6 10 00 00 01"},
    {"status": "blocked"},
    {"status": "active"},
    {"role": "admin"},
    {"role": "user"},
    {"updated_on": "2026-11-23"},
    {"contacts_list": "1"},
    {"q": "user", "status": "inactive", "role": "user", "updated_on": "2026-11-23", "contacts_list": "1"},
)


@pytest.fixture(scope="module", params=["postgres", "debian_postgres"])
def connection(request: pytest.FixtureRequest) -> Iterator[extensions.connection]:
    """A connection as ours are, to ten Spaces with 3,000 accounts each."""
    server: Postgres = request.getfixturevalue(request.param)
    dsn = server.create_database()
    pytest_twisted.blockon(ensureDeferred(migrate(dsn)))
    connection = psycopg2.connect(with_settings(dsn, 60))
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO spaces (domain, host, name) SELECT d, d, d
            FROM (SELECT 's' || n || '.example.org' AS d FROM generate_series(0, 9) n) x;
            INSERT INTO accounts (username, domain, email, phone, activated, blocked, admin, updated_at)
            SELECT 'user_' || n, 's' || n % 10 || '.example.org', 'u' || n || '@example.org', '+336' || 10000000 + n,
                n % 3 <> 0, n % 7 = 0, n % 100 < 10, '2026-01-01'::timestamptz + n * interval '15 minutes'
            FROM generate_series(1, 30000) n;
            INSERT INTO contacts_lists (space_id, title) SELECT id, 'l' FROM spaces;
            INSERT INTO contacts_list_contact (contacts_list_id, contact_id)
            SELECT l.id, a.id FROM accounts a JOIN spaces s ON s.domain = a.domain
            JOIN contacts_lists l ON l.space_id = s.id WHERE a.id % 4 = 0;
            """
        )
        cursor.execute("VACUUM ANALYZE")
    yield connection
    connection.close()
    server.drop_database(dsn)


def plan(connection: extensions.connection, query: Query, bound: dict[str, Any]) -> str:
    """Return the plan of a statement, made as it is when it runs."""
    *before, sql = query.sql.split(";")
    with connection.cursor() as cursor:
        cursor.execute(";".join(["BEGIN", *before]))
        cursor.execute(f"EXPLAIN {sql}", bound)
        lines = "\n".join(line for (line,) in cursor.fetchall())
        cursor.execute("ROLLBACK")
    return lines


def walks(plan: str) -> bool:
    """Say whether a plan reads all accounts."""
    return bool(re.search(r"Seq Scan on (accounts|contacts_list_contact)\b", plan))


def wishes() -> Iterator[tuple[AccountSearchWish, str | None]]:
    for query, sort, order, domain in product(FILTERS, SORTS, ("asc", "desc"), (DOMAIN, None)):
        if domain is not None or sort in SORTS_OF_EVERY_SPACE:
            yield AccountSearchWish.read({**query, "sort": sort, "order": order}), domain


def statements(wish: AccountSearchWish, domain: str | None, *, whole: bool = False) -> list[Query]:
    """Return all that may be run for a wish."""
    sources: list[str] = [name for name in ("contacts_list", "admin", "status", "day") if name in criteria(wish)]
    sources += ["address"] if exact_condition(wish.text) else []
    return [
        counting(wish, domain, 1000),
        walking(wish, domain, 1000, whole=whole),
        *(gathering(wish, domain, name, 1000, whole=whole) for name in ("space", *sources)),
        *([searching(wish, domain, 1000, 10, whole=whole)] if is_indexed(wish.text) else []),
    ]


def test_no_search_reads_all_accounts(connection: extensions.connection) -> None:
    seen = set()
    for wish, domain in wishes():
        bound = BOUND | parameters(wish, domain)
        for query in statements(wish, domain):
            lines = plan(connection, query, bound)
            assert not walks(lines), f"{query.name}: {wish}\n{lines}"
            seen.add(query.name)
    assert len(seen) == 9


@pytest.mark.parametrize(
    ("wish", "index"),
    [
        (AccountSearchWish(activated=True), "Index Only Scan using accounts_by_status"),
        (AccountSearchWish(activated=False), "Index Only Scan using accounts_by_status"),
        (AccountSearchWish(role="admin"), "Index Only Scan using accounts_of_administrators"),
        (AccountSearchWish(role="user"), "accounts_"),
        (
            AccountSearchWish(updated_since=datetime(2026, 11, 1, tzinfo=UTC)),
            "Index Only Scan using accounts_by_change",
        ),
        (AccountSearchWish(activated=True, updated_since=datetime(2026, 11, 9, tzinfo=UTC)), "accounts_by_change"),
    ],
    ids=str,
)
def test_what_filters_leave_is_gathered_from_an_index(
    connection: extensions.connection, wish: AccountSearchWish, index: str
) -> None:
    lines = plan(connection, filtering(wish), BOUND | parameters(wish, DOMAIN))
    assert index in lines
    assert not walks(lines), lines


def test_whole_accounts_are_searched_for_as_lines_are(connection: extensions.connection) -> None:
    for text, active in product(("user_12", "al", "@", "user_12@s3"), (None, True)):
        wish = AccountSearchWish(text=SearchText.read(text), activated=active)
        for query in statements(wish, DOMAIN, whole=True):
            lines = plan(connection, query, BOUND | parameters(wish, DOMAIN))
            assert not walks(lines), f"{query.name}: {wish}\n{lines}"


def test_a_text_is_found_by_its_index(connection: extensions.connection) -> None:
    for text, domain in product(("user_12", "zzzzzz", "al", "user_12@s3", "0612345678"), (DOMAIN, None)):
        wish = AccountSearchWish.read({"q": text})
        lines = plan(connection, searching(wish, domain, 1000, 10), BOUND | parameters(wish, domain))
        assert "Bitmap Index Scan on accounts_by_words " in lines, f"{text}\n{lines}"
        assert "Bitmap Index Scan on accounts_by_words_sampled " in lines, f"{text}\n{lines}"


def test_a_number_within_a_country_is_found_by_its_end(connection: extensions.connection) -> None:
    for domain in (DOMAIN, None):
        wish = AccountSearchWish.read({"q": "06 10 00 02 00"})
        for query in (counting(wish, domain, 1000), gathering(wish, domain, "address", 1000)):
            lines = plan(connection, query, BOUND | parameters(wish, domain))
            assert "accounts_by_phone_backwards" in lines, lines


@pytest.mark.parametrize("sort", SORTS)
def test_an_order_is_walked_and_not_sorted(connection: extensions.connection, sort: str) -> None:
    for descending in (False, True):
        wish = AccountSearchWish.read({"role": "user", "sort": sort, "order": "desc" if descending else "asc"})
        lines = plan(connection, walking(wish, DOMAIN, 1000), BOUND | parameters(wish, DOMAIN))
        assert re.search(rf"Index (Only )?Scan (Backward )?using {INDEX_OF[sort]} on accounts", lines), lines


def test_pages_skip_in_the_index_alone(connection: extensions.connection) -> None:
    for sort, descending in product(SORTS, (False, True)):
        if sort == "id":
            continue
        ids = from_start(sort, DOMAIN, descending=descending)
        query = sorted_page(sort, ids, descending=descending)
        lines = plan(connection, query, BOUND | {"offset": 1200})
        assert f"using {INDEX_OF[sort]} on accounts a_1" in lines, lines
        assert "Index Only Scan" in lines, lines
    query = sorted_page("username", from_start("username", None, descending=False), descending=False)
    assert "using accounts_username_taken on accounts a_1" in plan(connection, query, BOUND | {"domain": None})


KEYS: dict[Sort, Any] = {
    "username": "user_2",
    "email": "u2@example.org",
    "phone": "+33610002000",
    "status": 1,
    "updated_at": datetime(2026, 6, 1, tzinfo=UTC),
}


def test_a_landmark_is_gone_to_at_once(connection: extensions.connection) -> None:
    for sort, key in KEYS.items():
        bound = BOUND | {"key": key, "tie": 5000, "rest": 3}
        lines = plan(connection, sorted_page(sort, from_landmark(sort, DOMAIN, key), descending=False), bound)
        assert f"using {INDEX_OF[sort]} on accounts a_1" in lines, lines
        assert "Sort Key: a_" not in lines, lines
    for sort in ("email", "phone"):
        lines = plan(connection, sorted_page(sort, from_landmark(sort, DOMAIN, None), descending=False), bound)
        assert f"using {INDEX_OF[sort]} on accounts a_1" in lines, lines
    bound = BOUND | {"domain": None, "key": "user_2", "tie": DOMAIN, "rest": 3}
    lines = plan(connection, sorted_page("username", from_landmark("username", None, ""), descending=False), bound)
    assert "using accounts_username_taken on accounts a_1" in lines, lines
    assert not walks(lines)


def test_landmarks_are_sought_in_the_index_alone(connection: extensions.connection) -> None:
    for sort in KEYS:
        lines = plan(connection, seeking(sort, DOMAIN), BOUND)
        assert f"Index Only Scan using {INDEX_OF[sort]}" in lines, lines
        assert "Sort Key: a." not in lines, lines


def test_pages_by_id_and_titles_of_lists_walk_nothing(connection: extensions.connection) -> None:
    for query in (OLDEST, NEWEST, OLDEST_OF_ALL, NEWEST_OF_ALL, CONTACTS_LISTS):
        for domain in (DOMAIN, None):
            lines = plan(connection, query, BOUND | {"domain": domain})
            assert not walks(lines), lines
