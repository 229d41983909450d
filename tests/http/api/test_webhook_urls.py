"""Where webhooks may lead, unless the operator allows more: https, and the public Internet."""

from __future__ import annotations

import pytest
from pytest_twisted import ensureDeferred
from support.application import TENANT, Application
from support.receiver import Receiver

from flexid.domain import unanswered

REFUSED = [
    "http://203.0.113.1/",
    "https://127.0.0.1/",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://10.0.0.1:8443/",
    "https://169.254.169.254/latest/meta-data/",
    "https://localhost/",
    "https://2130706433/",
]


@ensureDeferred
async def test_a_url_that_leads_to_a_private_address_is_refused(app: Application) -> None:
    for url in REFUSED:
        reply = await app.admin.post("/api/webhooks", {"url": url, "events": ["account.created"]})
        assert (reply.status, list(reply.json.get("errors", ()))) == (422, ["url"]), (url, reply.text)
    reply = await app.admin.post("/api/webhooks", {"url": "https://1.1.1.1/", "events": ["account.created"]})
    assert reply.status == 201
    reply = await app.admin.put(f"/api/webhooks/{reply.json['id']}", {"url": REFUSED[1], "events": ["account.created"]})
    assert (reply.status, list(reply.json["errors"])) == (422, ["url"])


@pytest.mark.parametrize("scheme", ["http", "https"])
@ensureDeferred
async def test_an_address_that_became_private_is_not_connected_to(app: Application, scheme: str) -> None:
    receiver = Receiver()
    receiver.start()
    try:
        app.sql(
            "INSERT INTO webhooks (space_id, url, events, secret)"
            " SELECT id, %s, '{account.created}', 'whsec_' FROM spaces WHERE domain = %s",
            f"{scheme}://127.0.0.1:{receiver.port}/",
            TENANT,
        )
        await app.has_account("alice")
        await app.services.webhook_deliveries.deliver()
        assert receiver.received == []
        (delivery,) = app.sql("SELECT state, last_error FROM outbox WHERE webhook_id IS NOT NULL")
        assert delivery["state"] == "waiting"
        if scheme == "https":
            assert delivery["last_error"] == str(unanswered.NOT_PUBLIC)
    finally:
        await receiver.stop()
