from __future__ import annotations

from pytest_twisted import ensureDeferred
from support.application import Application


@ensureDeferred
async def test_pages_do_not_speak_of_devices_that_nobody_knows(app: Application) -> None:
    alice = await app.has_account("alice")
    visitor, chief = await app.signed_in("alice"), await app.chief()
    assert "My devices" not in (await visitor.open("/dashboard")).text
    assert "devices-title" not in (await chief.open(f"/admin/accounts/{alice['id']}")).text
    shown = await visitor.open("/devices")
    assert (shown.status, "does not tell which devices" in shown.text) == (200, True)
