"""Webhooks as administrators set them up, and what they are sent: verified by the library of Standard Webhooks."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from pytest_twisted import ensureDeferred
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError
from support.application import TENANT, Application, at_once
from support.neighbours import has_neighbour
from support.receiver import Receiver

from flexid.domain.webhooks import EVENTS, MOST_WEBHOOKS, is_secret

URL = "https://203.0.113.1/hook"
HOOKS = "/api/webhooks"


@pytest.fixture
def settings() -> dict[str, object]:
    return {"outbound": {"allow_private": True, "allow_http": True}}


@pytest_twisted.async_yield_fixture
async def receiver() -> AsyncIterator[Receiver]:
    running = Receiver()
    running.start()
    yield running
    await running.stop()


async def _has_webhook(app: Application, url: str = URL, *events: str, **more: Any) -> dict[str, Any]:
    reply = await app.admin.post(HOOKS, {"url": url, "events": list(events or EVENTS), **more})
    assert reply.status == 201, reply.text
    webhook: dict[str, Any] = reply.json
    return webhook


async def _deliver(app: Application) -> None:
    await app.services.webhook_deliveries.deliver()


def _due_at_once(app: Application) -> None:
    app.sql("UPDATE outbox SET next_attempt_at = now() WHERE webhook_id IS NOT NULL")


async def _deliveries(app: Application, webhook: dict[str, Any], query: str = "") -> list[dict[str, Any]]:
    reply = await app.admin.get(f"{HOOKS}/{webhook['id']}/deliveries{query}")
    assert reply.status == 200, reply.text
    found: list[dict[str, Any]] = reply.json
    return found


@ensureDeferred
async def test_a_new_webhook_shows_its_secret_once(app: Application) -> None:
    webhook = await _has_webhook(app, URL, "account.deleted", "account.created")
    secret = webhook.pop("secret")
    assert is_secret(secret)
    assert webhook["events"] == ["account.created", "account.deleted"]
    assert (webhook["enabled"], webhook["disabled_at"], webhook["disabled_because"]) == (True, None, None)
    for path in (HOOKS, f"{HOOKS}/{webhook['id']}"):
        reply = await app.admin.get(path)
        assert reply.status == 200
        assert secret not in reply.text
    assert secret not in str(app.sql("SELECT * FROM audit_log"))
    assert (await app.admin.get(HOOKS)).json == [webhook]
    assert (await app.admin.get(f"{HOOKS}/{webhook['id']}")).json == webhook


@ensureDeferred
async def test_there_are_none_at_first(app: Application) -> None:
    assert (await app.admin.get(HOOKS)).json == []


@ensureDeferred
async def test_a_webhook_is_changed_and_keeps_its_secret_unless_it_gets_another(app: Application) -> None:
    webhook = await _has_webhook(app)
    path = f"{HOOKS}/{webhook['id']}"
    reply = await app.admin.put(path, {"url": f"{URL}/2", "events": ["space.expiring"], "enabled": False})
    assert reply.status == 200
    assert (reply.json["url"], reply.json["events"], reply.json["enabled"]) == (f"{URL}/2", ["space.expiring"], False)
    assert reply.json["disabled_at"] is not None
    assert "secret" not in reply.json
    assert app.sql("SELECT secret FROM webhooks") == [{"secret": webhook["secret"]}]
    other = "whsec_" + base64.b64encode(b"k" * 24).decode()
    reply = await app.admin.put(path, {"url": URL, "events": list(EVENTS), "secret": other})
    assert (reply.json["enabled"], reply.json["disabled_at"]) == (True, None)
    assert app.sql("SELECT secret FROM webhooks") == [{"secret": other}]


@ensureDeferred
async def test_a_deleted_webhook_is_gone_with_what_waited_for_it(app: Application) -> None:
    webhook = await _has_webhook(app)
    await app.has_account("alice")
    path = f"{HOOKS}/{webhook['id']}"
    reply = await app.admin.delete(path)
    assert (reply.status, reply.text) == (200, "")
    assert (await app.admin.delete(path)).status == 404
    assert (await app.admin.get(path)).status == 404
    assert app.sql("SELECT id FROM outbox WHERE channel = 'webhook'") == []


WRONG: dict[str, list[object]] = {
    "url": [None, "", "nonsense", "ftp://example.org/", "https://user:pw@example.org/", "https://x/" + "x" * 2000, 5],
    "events": [None, [], "account.created", ["account.created", "other"], ["webhook.test"], [5], [[]], {"x": "1"}],
    "secret": ["secret", "whsec_", "whsec_MTIz", "whsec_" + "A" * 200, "whsec_!!!!", 5],
    "enabled": ["perhaps"],
}


@ensureDeferred
async def test_what_is_wrong_is_named(app: Application) -> None:
    for field, value in [(name, value) for name, values in WRONG.items() for value in values]:
        reply = await app.admin.post(HOOKS, {"url": URL, "events": ["account.created"], field: value})
        assert (reply.status, list(reply.json["errors"])) == (422, [field]), value


@ensureDeferred
async def test_all_that_is_wrong_is_named_at_once(app: Application) -> None:
    reply = await app.admin.post(HOOKS, {"url": "nonsense", "secret": "short"})
    assert set(reply.json["errors"]) == {"url", "events", "secret"}


@ensureDeferred
async def test_a_space_has_only_so_many_even_if_they_come_at_once(app: Application) -> None:
    for _ in range(MOST_WEBHOOKS - 1):
        await _has_webhook(app, URL, "account.created")
    body = {"url": URL, "events": ["account.created"]}
    replies = await at_once(*(app.admin.post(HOOKS, body) for _ in range(4)))
    assert sorted(reply.status for reply in replies) == [201, 403, 403, 403]


@ensureDeferred
async def test_webhooks_of_another_space_are_not_there(app: Application) -> None:
    neighbour = await has_neighbour(app)
    webhook = await _has_webhook(app)
    path = f"{HOOKS}/{webhook['id']}"
    body = {"url": URL, "events": ["account.created"]}
    assert (await neighbour.admin.get(path)).status == 404
    assert (await neighbour.admin.put(path, body)).status == 404
    assert (await neighbour.admin.put(path, {})).status == 404
    assert (await neighbour.admin.delete(path)).status == 404
    assert (await neighbour.admin.post(f"{path}/test")).status == 404
    assert (await neighbour.admin.get(f"{path}/deliveries")).status == 404
    assert (await neighbour.admin.post(f"{path}/deliveries/1/retry")).status == 404
    assert (await neighbour.admin.get(HOOKS)).json == []
    assert (await app.super_admin.get(path)).status == 200


@ensureDeferred
async def test_an_event_arrives_signed_and_is_noted(app: Application, receiver: Receiver) -> None:
    webhook = await _has_webhook(app, receiver.url, "account.created")
    account = await app.has_account("alice")
    assert receiver.received == []
    await _deliver(app)
    (received,) = receiver.received
    assert received.headers["content-type"] == "application/json"
    event = Verifier(webhook["secret"]).verify(received.body, received.headers)
    assert event["type"] == "account.created"
    assert event["data"]["id"] == account["id"]
    with pytest.raises(WebhookVerificationError):
        Verifier(webhook["secret"]).verify(received.body + b" ", received.headers)
    (delivery,) = await _deliveries(app, webhook)
    assert (delivery["event"], delivery["state"], delivery["attempts"]) == ("account.created", "sent", 1)
    assert (delivery["last_error"], delivery["next_attempt_at"]) == (None, None)
    assert delivery["sent_at"] is not None
    assert "alice" not in str(app.sql("SELECT payload FROM outbox WHERE webhook_id IS NOT NULL"))


@ensureDeferred
async def test_what_is_not_taken_comes_again_under_the_same_id(app: Application, receiver: Receiver) -> None:
    webhook = await _has_webhook(app, receiver.url, "account.created")
    receiver.statuses = [500, 302, 204]
    await app.has_account("alice")
    for _ in range(3):
        await _deliver(app)
        (waits,) = app.sql("SELECT next_attempt_at - now() AS wait FROM outbox WHERE webhook_id IS NOT NULL")
        assert waits["wait"].total_seconds() > 20
        _due_at_once(app)
    first, second, third = receiver.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == third.headers["webhook-id"]
    assert first.body == third.body
    assert [delivery["state"] for delivery in await _deliveries(app, webhook)] == ["sent"]
    assert app.services.webhook_deliveries.outcomes == {("webhook", "failed"): 2, ("webhook", "delivered"): 1}


@ensureDeferred
async def test_who_takes_nothing_for_a_day_is_switched_off_and_the_administrators_are_told(
    app: Application, receiver: Receiver
) -> None:
    app.sql("UPDATE accounts SET email = 'admin@example.org' WHERE username = 'admin' AND domain = %s", TENANT)
    webhook = await _has_webhook(app, receiver.url, "account.created")
    receiver.statuses = [503]
    await app.has_account("alice")
    app.sql("UPDATE outbox SET attempts = 13 WHERE webhook_id IS NOT NULL")
    await app.has_account("bob")
    await _deliver(app)
    shown = (await app.admin.get(f"{HOOKS}/{webhook['id']}")).json
    assert (shown["enabled"], shown["disabled_because"]) == (False, "It answered with the status 503")
    assert [(each["state"], each["last_error"]) for each in await _deliveries(app, webhook)] == [
        ("dead", "The webhook was switched off"),
        ("dead", "It answered with the status 503"),
    ]
    (mail,) = app.sql("SELECT payload FROM outbox WHERE channel = 'mail'")
    assert (mail["payload"]["name"], mail["payload"]["to"]) == ("webhook_disabled", "admin@example.org")
    await app.has_account("carol")
    assert len(await _deliveries(app, webhook)) == 2


@ensureDeferred
async def test_one_event_that_is_not_taken_does_not_switch_a_webhook_off_that_takes_others(
    app: Application, receiver: Receiver
) -> None:
    webhook = await _has_webhook(app, receiver.url, "account.created")
    await app.has_account("alice")
    await _deliver(app)
    receiver.statuses = [500]
    await app.has_account("bob")
    app.sql("UPDATE outbox SET attempts = 13 WHERE webhook_id IS NOT NULL AND state = 'waiting'")
    await _deliver(app)
    assert [each["state"] for each in await _deliveries(app, webhook)] == ["dead", "sent"]
    assert (await app.admin.get(f"{HOOKS}/{webhook['id']}")).json["enabled"] is True


@ensureDeferred
async def test_who_says_that_it_is_gone_is_switched_off_at_once(app: Application, receiver: Receiver) -> None:
    webhook = await _has_webhook(app, receiver.url, "account.created")
    receiver.statuses = [410]
    await app.has_account("alice")
    await _deliver(app)
    assert (await app.admin.get(f"{HOOKS}/{webhook['id']}")).json["enabled"] is False


@ensureDeferred
async def test_what_is_dead_is_delivered_on_demand_once_the_webhook_is_on_again(
    app: Application, receiver: Receiver
) -> None:
    webhook = await _has_webhook(app, receiver.url, "account.created")
    path = f"{HOOKS}/{webhook['id']}"
    receiver.statuses = [410, 204]
    await app.has_account("alice")
    await _deliver(app)
    (dead,) = await _deliveries(app, webhook, "?state=dead")
    again = f"{path}/deliveries/{dead['id']}/retry"
    assert (await app.admin.post(again)).status == 403
    await app.admin.put(path, {"url": receiver.url, "events": ["account.created"]})
    reply = await app.admin.post(again)
    assert (reply.status, reply.json) == (200, 1)
    assert (await app.admin.post(f"{path}/deliveries/999999/retry")).json == 0
    await _deliver(app)
    assert [each["state"] for each in await _deliveries(app, webhook)] == ["sent"]
    assert len(receiver.received) == 2
    assert (await app.admin.post(again)).json == 0


@ensureDeferred
async def test_a_webhook_that_is_switched_off_gives_up_what_waits(app: Application) -> None:
    webhook = await _has_webhook(app)
    await app.has_account("alice")
    body = {"url": URL, "events": ["account.created"], "enabled": False}
    await app.admin.put(f"{HOOKS}/{webhook['id']}", body)
    assert [each["state"] for each in await _deliveries(app, webhook)] == ["dead"]
    assert await _deliveries(app, webhook, "?state=waiting") == []


@ensureDeferred
async def test_deliveries_are_listed_latest_first_a_hundred_at_once(app: Application) -> None:
    webhook = await _has_webhook(app)
    app.sql("INSERT INTO accounts (username, domain) SELECT 'u' || n, %s FROM generate_series(1, 130) n", TENANT)
    latest = await _deliveries(app, webhook)
    assert len(latest) == 100
    older = await _deliveries(app, webhook, f"?before={latest[-1]['id']}")
    assert len(older) == 30
    ids = [each["id"] for each in (*latest, *older)]
    assert ids == sorted(ids, reverse=True)
    assert len(await _deliveries(app, webhook, "?state=nonsense&before=x")) == 100


@ensureDeferred
async def test_a_receiver_that_hangs_holds_up_no_other(app: Application, receiver: Receiver) -> None:
    hanging = Receiver(silent=True)
    hanging.start()
    try:
        await _has_webhook(app, hanging.url, "account.created")
        await _has_webhook(app, receiver.url, "account.created")
        app.sql("INSERT INTO accounts (username, domain) SELECT 'u' || n, %s FROM generate_series(1, 20) n", TENANT)
        for _ in range(6):
            await app.services.webhook_deliveries.begin()
        await receiver.has(20)
        await hanging.has(4)
        assert len(hanging.received) == 4
        ids = {received.headers["webhook-id"] for received in receiver.received}
        assert len(ids) == 20
    finally:
        await hanging.stop()
        for work in list(app.services.webhook_deliveries._under_way):
            work.cancel()
        await app.services.webhook_deliveries.rest()


@ensureDeferred
async def test_a_test_is_sent_at_once_and_tells_what_came_of_it(app: Application, receiver: Receiver) -> None:
    webhook = await _has_webhook(app, receiver.url, "account.created", enabled=False)
    path = f"{HOOKS}/{webhook['id']}/test"
    reply = await app.admin.post(path)
    assert (reply.status, reply.json) == (200, {"delivered": True, "error": None})
    (received,) = receiver.received
    event = Verifier(webhook["secret"]).verify(received.body, received.headers)
    assert (event["type"], event["data"]) == ("webhook.test", {"webhook_id": webhook["id"], "domain": TENANT})
    receiver.statuses = [404]
    reply = await app.admin.post(path)
    assert reply.json == {"delivered": False, "error": "It answered with the status 404"}
    french = await app.admin.post(path, accept_language="fr")
    assert french.json["error"] == "Il a répondu avec l\N{RIGHT SINGLE QUOTATION MARK}état 404"
    for _ in range(17):
        await app.admin.post(path)
    assert (await app.admin.post(path)).status == 429


@ensureDeferred
async def test_old_records_are_forgotten(app: Application) -> None:
    webhook = await _has_webhook(app)
    app.sql("INSERT INTO accounts (username, domain) SELECT 'u' || n, %s FROM generate_series(1, 5) n", TENANT)
    ids = [each["id"] for each in await _deliveries(app, webhook)]
    long_ago = "state = %s, sent_at = now() - %s::interval, created_at = now() - %s::interval"
    for delivery, state, age in zip(ids, ("sent", "sent", "dead", "dead"), ("6 days", "8 days") * 2, strict=False):
        app.sql(f"UPDATE outbox SET {long_ago} WHERE id = %s", state, age, age, delivery)
    app.sql("UPDATE outbox SET created_at = now() - interval '31 days' WHERE id = %s", ids[3])
    assert await app.services.webhook_deliveries.clear() == 2
    assert [each["id"] for each in await _deliveries(app, webhook)] == [ids[0], ids[2], ids[4]]


@ensureDeferred
async def test_the_example_of_the_documentation_verifies(app: Application, receiver: Receiver) -> None:
    documentation = (Path(__file__).parents[3] / "docs" / "webhooks.md").read_text()
    (example,) = (block for block in re.findall(r"```python\n(.*?)```", documentation, re.DOTALL) if "def " in block)
    names: dict[str, Any] = {}
    exec(example, names)  # noqa: S102  # ours
    webhook = await _has_webhook(app, receiver.url, "account.updated")
    alice = await app.has_account("alice")
    await app.admin.ask("PATCH", f"/api/accounts/{alice['id']}", {"email": "alice@example.org"})
    await _deliver(app)
    (received,) = receiver.received
    event = names["verified"](webhook["secret"], received.headers, received.body)
    shown = json.loads(re.findall(r"```json\n(.*?)```", documentation, re.DOTALL)[0])
    assert event.keys() == shown.keys()
    assert event["data"].keys() == shown["data"].keys()
    with pytest.raises(ValueError, match="not signed"):
        names["verified"](webhook["secret"], received.headers, received.body + b" ")
