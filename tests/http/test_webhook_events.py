"""What webhooks are told: noted with what causes it, by whatever way, and without secrets."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from support.application import SUPER, TENANT, Application

from flexid.domain.webhooks import EVENTS
from flexid.store import webhook_events

TOLD = {
    "id",
    "username",
    "domain",
    "sip_uri",
    "email",
    "phone",
    "display_name",
    "activated",
    "admin",
    "blocked",
    "dtmf_protocol",
    "created_at",
    "updated_at",
}


def _listen(app: Application, *events: str, domain: str = TENANT, enabled: bool = True) -> int:
    (row,) = app.sql(
        "INSERT INTO webhooks (space_id, url, events, secret, enabled)"
        " SELECT id, 'https://hooks.example.org/', %s, 'whsec_', %s FROM spaces WHERE domain = %s RETURNING id",
        list(events or EVENTS),
        enabled,
        domain,
    )
    return int(row["id"])


def _noted(app: Application) -> list[dict[str, Any]]:
    rows = app.sql("SELECT payload FROM outbox WHERE channel = 'webhook' AND domain = %s ORDER BY id", TENANT)
    return [row["payload"] for row in rows]


def _types(app: Application) -> list[str]:
    return [event["type"] for event in _noted(app)]


async def _redeem(app: Application, account: dict[str, Any]) -> None:
    token = account["provisioning_token"]
    reply = await app.nobody.get(f"/provisioning/{token}", x_linphone_provisioning="1")
    assert reply.status == 200


@ensureDeferred
async def test_a_new_account_is_told_as_it_is_shown_without_what_opens_it(app: Application) -> None:
    _listen(app)
    account = await app.has_account("alice", email="alice@example.org", display_name='"><b>', dictionary={"a": "b"})
    (event,) = _noted(app)
    assert event["type"] == "account.created"
    assert event["timestamp"] == event["data"]["created_at"] == account["created_at"]
    assert set(event["data"]) == TOLD
    assert event["data"] == {name: account[name] for name in TOLD}
    told = json.dumps(event)
    assert account["provisioning_token"] not in told
    (password,) = app.sql("SELECT password FROM passwords WHERE account_id = %s", account["id"])
    assert password["password"] not in told


@ensureDeferred
async def test_each_change_is_told_with_what_changed(app: Application) -> None:
    account = await app.has_account("alice", activated=False)
    _listen(app)
    path = f"/api/accounts/{account['id']}"
    await app.admin.ask("PATCH", path, {"email": "alice@example.org", "display_name": "Alice"})
    await app.admin.post(f"{path}/activate")
    await app.admin.post(f"{path}/activate")
    await app.admin.post(f"{path}/block")
    await app.admin.post(f"{path}/unblock")
    events = _noted(app)
    assert [(event["type"], event["data"].get("changed")) for event in events] == [
        ("account.updated", ["display_name", "email"]),
        ("account.updated", ["activated"]),
        ("account.activated", None),
        ("account.updated", ["blocked"]),
        ("account.blocked", None),
        ("account.updated", ["blocked"]),
    ]
    assert events[0]["data"]["email"] == "alice@example.org"
    await app.admin.delete(path)
    assert _noted(app)[-1]["type"] == "account.deleted"
    assert _noted(app)[-1]["data"]["username"] == "alice"


@ensureDeferred
async def test_an_account_that_is_set_up_by_its_token_is_told_once(app: Application) -> None:
    account = await app.has_account("alice", activated=False)
    _listen(app, "account.provisioned", "account.activated")
    await app.admin.get(f"/api/accounts/{account['id']}/provision")
    assert _noted(app) == []
    account = (await app.admin.get(f"/api/accounts/{account['id']}")).json
    await _redeem(app, account)
    assert sorted(_types(app)) == ["account.activated", "account.provisioned"]


@ensureDeferred
async def test_what_nobody_listens_to_is_not_noted(app: Application) -> None:
    _listen(app, "account.deleted")
    _listen(app, domain=SUPER)
    _listen(app, enabled=False)
    await app.has_account("alice")
    assert _noted(app) == []


@ensureDeferred
async def test_many_accounts_at_once_are_told_each_to_each_webhook(app: Application) -> None:
    first, second = _listen(app), _listen(app)
    app.sql("INSERT INTO accounts (username, domain) SELECT 'u' || n, %s FROM generate_series(1, 500) n", TENANT)
    app.sql("DELETE FROM accounts WHERE username LIKE 'u%%' AND domain = %s", TENANT)
    counts = app.sql(
        "SELECT webhook_id, payload ->> 'type' AS type, count(DISTINCT payload #>> '{data,username}') AS count"
        " FROM outbox GROUP BY 1, 2 ORDER BY 2, 1"
    )
    assert [(row["webhook_id"], row["type"], row["count"]) for row in counts if row["webhook_id"]] == [
        (first, "account.created", 500),
        (second, "account.created", 500),
        (first, "account.deleted", 500),
        (second, "account.deleted", 500),
    ]


@ensureDeferred
async def test_a_space_that_is_deleted_takes_its_webhooks_along_and_what_waits_for_them(app: Application) -> None:
    _listen(app)
    await app.has_account("alice")
    reply = await app.super_admin.delete(f"/api/spaces/{TENANT}")
    assert reply.status == 200
    assert _noted(app) == []
    assert app.sql("SELECT id FROM webhooks") == []


@ensureDeferred
async def test_a_change_that_is_rolled_back_is_not_told(app: Application) -> None:
    _listen(app)
    async with app.database.transaction() as transaction:
        await webhook_events.announce(transaction, TENANT, "space.expiring", {"days": 3})
        assert _noted(app) == []
    with pytest.raises(ZeroDivisionError):
        await _announce_and_fail(app)
    (event,) = _noted(app)
    assert (event["type"], event["data"]) == ("space.expiring", {"days": 3})


async def _announce_and_fail(app: Application) -> None:
    async with app.database.transaction() as transaction:
        await webhook_events.announce(transaction, TENANT, "space.expiring", {"days": 1})
        raise ZeroDivisionError


@ensureDeferred
async def test_a_message_is_told_when_it_is_on_its_way_and_when_it_has_come_to_its_end(app: Application) -> None:
    _listen(app, "message.state")
    app.sql("INSERT INTO messages (domain, recipient, body) VALUES (%s, 'bob@example.org', 'secret')", TENANT)
    for change in (
        "state = 'in_progress', sent_at = now()",
        "state = 'queued', sent_at = NULL",
        "state = 'in_progress', sent_at = now()",
        "call_id = 'abc', body = ''",
        "state = 'delivered', delivered_at = now()",
    ):
        app.sql(f"UPDATE messages SET {change}")
    on_its_way, delivered = (event["data"] for event in _noted(app))
    assert (on_its_way["state"], on_its_way["call_id"], on_its_way["to"]) == ("in_progress", "abc", "bob@example.org")
    assert (delivered["state"], delivered["id"]) == ("delivered", on_its_way["id"])
    assert delivered["delivered_at"] is not None
    assert "body" not in delivered
