"""Administrators read the audit log of their Space, super administrators that of any."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from support.application import SUPER, TENANT, Application
from support.web import Browser


async def actions(browser: Browser, query: str = "") -> list[str]:
    reply = await browser.get(f"/api/events{query}")
    assert reply.status == 200, reply.text
    return [event["action"] for event in reply.json["data"]]


@ensureDeferred
async def test_events_come_in_pages_with_the_latest_first(app: Application) -> None:
    alice = await app.has_account("alice")
    await app.admin.post(f"/api/accounts/{alice['id']}/block")
    reply = await app.admin.as_(x_request_id="request-1").get("/api/events?per_page=1")
    (event,) = reply.json["data"]
    for varying in ("id", "created_at", "request_id"):
        assert event.pop(varying)
    assert event == {
        "space": TENANT,
        "action": "account.blocked",
        "account_id": alice["id"],
        "account": f"alice@{TENANT}",
        "actor_id": 2,
        "actor": f"admin@{TENANT}",
        "means": "api_key",
        "credential": "tenant",
        "ip": "127.0.0.1",
        "user_agent": "",
        "details": {"changed": ["blocked"], "blocked": True},
    }
    assert (reply.json["per_page"], reply.json["to"]) == (1, 1)
    assert reply.json["next_page_url"].endswith("/api/events?per_page=1&page=2")
    assert await actions(app.admin, "?per_page=1&page=2") == ["account.created"]
    assert await actions(app.admin, "?page=900000000") == []


@ensureDeferred
async def test_filters_narrow_the_list(app: Application) -> None:
    alice, bob = await app.has_account("alice"), await app.has_account("bob")
    await app.admin.post(f"/api/accounts/{alice['id']}/block")
    await app.user(bob).delete("/api/accounts/me")
    assert await actions(app.admin, f"?account={alice['id']}") == ["account.blocked", "account.created"]
    assert await actions(app.admin, f"?account=alice@{TENANT}&action=account.blocked") == ["account.blocked"]
    assert await actions(app.admin, f"?actor=bob@{TENANT}") == ["account.deleted"]
    assert await actions(app.admin, f"?actor={bob['id']}") == ["account.deleted"]
    assert set(await actions(app.admin, "?action=account")) == {
        f"account.{done}" for done in ("created", "blocked", "deleted")
    }
    assert await actions(app.admin, "?action=acc") == []
    (created_at,) = [
        row["created_at"] for row in app.sql("SELECT created_at FROM audit_log WHERE action LIKE '%.blocked'")
    ]
    then = created_at.isoformat().replace("+", "%2B")
    assert (await actions(app.admin, f"?since={then}"))[-1] == "account.blocked"
    assert "account.blocked" not in await actions(app.admin, f"?until={then}")


@pytest.mark.parametrize("query", ["since=yesterday", "until=x", "action=" + 256 * "a"])
@ensureDeferred
async def test_a_filter_that_makes_no_sense_is_named(app: Application, query: str) -> None:
    reply = await app.admin.get(f"/api/events?{query}")
    assert (reply.status, list(reply.json["errors"])) == (422, [query.partition("=")[0]])


@ensureDeferred
async def test_another_space_is_out_of_reach_but_for_super_administrators(app: Application) -> None:
    await app.super_admin.post("/api/accounts", {"username": "carol", "password": "carol_password"})
    await app.has_account("alice")
    assert (await app.admin.get(f"/api/events?space={SUPER}")).status == 404
    assert {event["space"] for event in (await app.admin.get("/api/events")).json["data"]} == {TENANT}
    every = (await app.super_admin.get("/api/events?per_page=100")).json["data"]
    assert {event["space"] for event in every} >= {TENANT, SUPER}
    only = (await app.super_admin.get(f"/api/events?space={TENANT}")).json["data"]
    assert {event["space"] for event in only} == {TENANT}


@ensureDeferred
async def test_a_space_does_not_see_what_happened_to_another_one_of_its_name(app: Application) -> None:
    app.sql(
        "INSERT INTO audit_log (domain, action, actor, created_at) VALUES (%s, 'account.created', 'x', %s)",
        TENANT,
        datetime(2020, 1, 1, tzinfo=UTC),
    )
    assert all(event["actor"] != "x" for event in (await app.admin.get("/api/events?per_page=100")).json["data"])
    assert "x" in [event["actor"] for event in (await app.super_admin.get(f"/api/events?space={TENANT}")).json["data"]]


@ensureDeferred
async def test_an_old_entry_is_forgotten_by_and_by(app: Application) -> None:
    def noted(age: timedelta) -> Any:
        return app.sql(
            "INSERT INTO audit_log (domain, action, actor, created_at) VALUES (%s, 'old', 'x', now() - %s)", TENANT, age
        )

    noted(timedelta(days=366))
    noted(timedelta(days=364))
    assert await app.services.housekeeping.clear_audit_log() == 1
    assert await app.services.housekeeping.clear_audit_log() == 0
    assert await actions(app.super_admin, "?action=old") == []
    assert app.sql("SELECT count(*) FROM audit_log WHERE action = 'old'")[0]["count"] == 1


@ensureDeferred
async def test_a_large_log_is_read_by_its_indexes(app: Application) -> None:
    app.sql(
        "INSERT INTO audit_log (domain, action, actor, actor_id, account_id, created_at)"
        " SELECT 'd' || n %% 50, 'a.b' || n %% 7, 'x', n, n, now() - n * interval '1 second'"
        " FROM generate_series(1, %s) n",
        20_000,
    )
    app.sql("ANALYZE audit_log")
    reply = await app.super_admin.get("/api/events")
    assert reply.json["total"] == 10_000
    assert (await app.super_admin.get("/api/events?page=501")).json["data"] == []
