"""Devices where no Redis is configured, and what would be told Flexisip then."""

from __future__ import annotations

from pytest_twisted import ensureDeferred
from support.application import Application


@ensureDeferred
async def test_nobody_has_devices(app: Application) -> None:
    alice = await app.has_account("alice")
    for browser, path in ((app.user(alice), "/api/accounts/me"), (app.admin, f"/api/accounts/{alice['id']}")):
        listed = await browser.get(f"{path}/devices")
        assert (listed.status, listed.text) == (200, "{}")
        assert (await browser.delete(f"{path}/devices/urn:uuid:1")).json == 0


@ensureDeferred
async def test_notices_that_nobody_takes_do_not_pile_up(app: Application) -> None:
    alice = await app.has_account("alice")
    for change in ("block", "unblock", "deactivate"):
        await app.admin.post(f"/api/accounts/{alice['id']}/{change}")
    await app.admin.post(f"/api/accounts/{alice['id']}/send_provisioning_email")
    app.sql("INSERT INTO outbox (channel, payload) VALUES ('mail', '{}')")
    assert await app.services.notices.deliver() == 0
    assert await app.services.notices.clear() == 2
    assert [row["channel"] for row in app.sql("SELECT channel FROM outbox")] == ["mail"]
