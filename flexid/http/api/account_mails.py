"""Mails that administrators let us send to accounts."""

from __future__ import annotations

from typing import Any

from flexid.http.call import Call
from flexid.http.routes import ADMIN, Routes

routes = Routes("/api/accounts/{account_id}", title="Mails to accounts")


@routes.post("/send_provisioning_email", caller=ADMIN)
async def send_provisioning(call: Call[Any], account_id: int) -> None:
    """Mail a link and a QR code that set up Linphone with the account."""
    await call.services.account_mails.send_provisioning(call.actor, account_id, call.language, call.origin)


@routes.post("/send_reset_password_email", caller=ADMIN)
async def send_password_reset(call: Call[Any], account_id: int) -> None:
    """Mail a link by which the account's owner chooses a new password; links of earlier mails are void."""
    await call.services.password_resets.send(call.actor, account_id, call.language, call.origin)
