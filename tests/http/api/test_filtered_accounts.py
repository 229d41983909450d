"""The list of accounts, narrowed."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import parse_qs, urlsplit

import pytest
from pytest_twisted import ensureDeferred
from support.application import SUPER, TENANT, Application
from support.web import Browser

NOON = "2026-01-31T12:00:00Z"


async def _has_accounts(app: Application) -> None:
    """Besides the administrator: every second one of six is not activated, the third and fourth are blocked."""
    for number in range(6):
        await app.has_account(f"user{number}", email=f"mail{number}@example.org", activated=number % 2 == 0)
    app.sql("UPDATE accounts SET updated_at = '2026-01-31 11:00Z', blocked = username IN ('user2', 'user3')")
    app.sql("UPDATE accounts SET updated_at = '2026-01-31 12:00Z' WHERE username = 'user4'")
    app.sql("UPDATE accounts SET updated_at = '2026-01-31 13:00Z' WHERE username = 'user1'")
    app.sql("UPDATE accounts SET admin = true WHERE username = 'user5'")


async def _names(browser: Browser, query: str) -> list[str]:
    reply = await browser.get(f"/api/accounts?{query}")
    assert reply.status == 200, reply.text
    names = [account["username"] for account in reply.json["data"]]
    assert reply.json["total"] == len(names)
    return names


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("activated=1", ["admin", "user0", "user2", "user4"]),
        ("activated=true&admin=0", ["user0", "user2", "user4"]),
        ("activated=0", ["user1", "user3", "user5"]),
        ("admin=true", ["admin", "user5"]),
        ("admin=1&activated=0", ["user5"]),
        (f"updated_since={NOON}", ["user1", "user4"]),
        ("updated_since=2026-01-31T14:00:00%2B02:00", ["user1", "user4"]),
        (f"updated_since={NOON}&activated=0", ["user1"]),
        ("updated_since=2030-01-01", []),
        ("search=user", [f"user{number}" for number in range(6)]),
        ("search=mail3", ["user3"]),
        ("search=user3@ten", ["user3"]),
        ("search=user&activated=0", ["user1", "user3", "user5"]),
        ("search=user&admin=1", ["user5"]),
        (f"search=user&updated_since={NOON}", ["user1", "user4"]),
        ("search=nobody", []),
        ("search=&activated=&admin=&updated_since=&domain=", ["admin", *(f"user{number}" for number in range(6))]),
        (f"domain={TENANT.upper()}&search=user1", ["user1"]),
        ("unknown=1&search=user1", ["user1"]),
    ],
)
@ensureDeferred
async def test_accounts_are_listed_that_all_filters_leave(app: Application, query: str, names: Sequence[str]) -> None:
    await _has_accounts(app)
    assert await _names(app.admin, query) == names


@pytest.mark.parametrize("query", ["search=user", "activated=0", "search=user&activated=0"])
@ensureDeferred
async def test_what_is_listed_is_whole(app: Application, query: str) -> None:
    await app.has_account("user1", activated=False, email="user1@example.org", dictionary={"lang": "fr"})
    whole = (await app.admin.get("/api/accounts?per_page=100")).json["data"]
    listed = (await app.admin.get(f"/api/accounts?{query}")).json["data"]
    assert listed == [account for account in whole if account["username"] == "user1"]


@pytest.mark.parametrize("query", ["search=user", "admin=0", "domain=" + TENANT + "&search=user&admin=0"])
@ensureDeferred
async def test_links_repeat_what_was_asked_for_and_lead_to_every_account_once(app: Application, query: str) -> None:
    await _has_accounts(app)
    app.sql("UPDATE accounts SET admin = false WHERE username = 'user5'")
    path, pages = f"/api/accounts?{query}&per_page=2", []
    while path:
        page = (await app.admin.get(path)).json
        assert (page["total"], page["last_page"], page["per_page"]) == (6, 3, 2)
        pages.append([account["username"] for account in page["data"]])
        asked = {name: [text] for name, text in (part.split("=") for part in query.split("&"))}
        for url in (page["first_page_url"], page["last_page_url"]):
            assert parse_qs(urlsplit(url).query).items() > {**asked, "per_page": ["2"]}.items()
        path = _path(page["next_page_url"] or "")
    assert pages == [["user0", "user1"], ["user2", "user3"], ["user4", "user5"]]
    beyond = (await app.admin.get(f"/api/accounts?{query}&per_page=2&page=9")).json
    assert (beyond["data"], beyond["from"], beyond["to"], beyond["total"]) == ([], None, None, 6)


def _path(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.path else ""


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ("activated=maybe&admin=2&updated_since=yesterday", {"activated", "admin", "updated_since"}),
        ("search=%00", {"search"}),
        ("domain=" + "x" * 256, {"domain"}),
    ],
)
@ensureDeferred
async def test_nonsense_is_refused_rather_than_listing_too_much(app: Application, query: str, wrong: set[str]) -> None:
    reply = await app.admin.get(f"/api/accounts?{query}")
    assert reply.status == 422
    assert reply.json["errors"].keys() == wrong


@ensureDeferred
async def test_only_super_administrators_list_other_spaces(app: Application) -> None:
    await _has_accounts(app)
    at_tenant = app.super_admin.at(app.admin.host)
    for browser in (app.super_admin, at_tenant):
        assert await _names(browser, f"domain={TENANT}&search=user1") == ["user1"]
        assert await _names(browser, f"domain={TENANT}&admin=1") == ["admin", "user5"]
        assert len(await _names(browser, f"domain={TENANT}")) == 7
        assert await _names(browser, "domain=nowhere.example.org") == []
    assert "user1" not in await _names(app.super_admin, "search=user")
    assert "user1" in await _names(at_tenant, "search=user")
    for domain in (SUPER, "nowhere.example.org", "*"):
        for more in ("", "&search=user", "&activated=1"):
            assert (await app.admin.get(f"/api/accounts?domain={domain}{more}")).status == 404


@ensureDeferred
async def test_a_filtered_list_costs_two_statements_at_most(app: Application, asked: list[str]) -> None:
    await _has_accounts(app)
    await app.admin.get("/api/accounts")
    for query, most in (
        ("", ["page of accounts"]),
        (f"domain={TENANT}", ["page of accounts"]),
        ("activated=1&admin=0", ["page of accounts, filtered"]),
        ("search=user", ["count accounts that filters leave", "search accounts, by space"]),
        ("search=user&activated=0", ["count accounts that filters leave", "search accounts, by space"]),
    ):
        asked.clear()
        await app.admin.get(f"/api/accounts?{query}")
        assert asked == most, query
