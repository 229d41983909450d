"""Whole accounts of a page are those whose lines the portal shows, also where bounds end the search."""

from __future__ import annotations

import psycopg2
import pytest
import pytest_twisted
from attrs import evolve
from support.application import TENANT, fill, migrate
from support.reactor import asynchronous
from twisted.internet.defer import ensureDeferred

from flexid.domain.account_search import AccountSearchWish
from flexid.domain.search_text import SearchText
from flexid.store import account_search, filtered_accounts
from flexid.store.database import Database


@pytest.fixture
def filled(dsn: str) -> None:
    """A Space of forty accounts; the last ten have an email address."""
    pytest_twisted.blockon(ensureDeferred(migrate(dsn)))
    fill(dsn)
    connection = psycopg2.connect(dsn)
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO accounts (username, domain, email, activated)"
            " SELECT 'clerk' || n, %s, CASE WHEN n > 30 THEN 'c' || n || '@example.org' END, n %% 2 = 0"
            " FROM generate_series(1, 40) n",
            (TENANT,),
        )
    connection.close()


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("bounds", [{}, {"EXACT": 4, "EXACT_TEXT": 3, "WALKED": 6}], ids=["", "few"])
@pytest.mark.parametrize(
    "wished", [AccountSearchWish(activated=flag, per_page=2) for flag in (None, True, False)], ids=["any", "yes", "no"]
)
@asynchronous
async def test_whole_accounts_are_those_of_the_lines(
    database: Database, monkeypatch: pytest.MonkeyPatch, wished: AccountSearchWish, bounds: dict[str, int]
) -> None:
    for name, value in bounds.items():
        monkeypatch.setattr(account_search, name, value)
    for text in ("clerk", "clerk3", "clerk39", "@example", "nobody", f"clerk38@{TENANT}"):
        for number in (1, 2):
            wish = evolve(wished, text=SearchText.read(text), page=number)
            lines = await account_search.page(database, TENANT, wish)
            total, accounts = await filtered_accounts.page(database, TENANT, wish)
            shown = lines.lines if lines.wish.page == number else ()
            assert [account.id for account in accounts] == [line.id for line in shown], text
            assert -(-total // 2) == (lines.last_page if lines.total else 0), text


@pytest.mark.usefixtures("filled")
@asynchronous
async def test_filters_without_a_text_count_everything(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account_search, "EXACT", 4)
    monkeypatch.setattr(account_search, "WALKED", 6)
    seen: list[str] = []
    for number in range(1, 8):
        wish = AccountSearchWish(activated=False, page=number, per_page=3)
        total, accounts = await filtered_accounts.page(database, TENANT, wish)
        assert total == 20
        seen += [account.username for account in accounts]
    assert seen == [f"clerk{number}" for number in range(1, 41, 2)]
