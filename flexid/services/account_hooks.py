"""Calls operators' own functions after accounts were created, edited or deleted, at least once and in that order."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import frozen

from flexid.base.clock import Clock
from flexid.domain.account import Account
from flexid.domain.hooks import DELETED, ChangeRequest
from flexid.domain.outbox import Due
from flexid.outbound.hooks import HookFile
from flexid.store import accounts, deliveries
from flexid.store.database import Database

CHANNELS = ("hook",)
AT_ONCE = 50


@frozen
class AccountHooks:
    """What triggers have noted where there are such functions; one that fails is called no second time."""

    database: Database
    clock: Clock
    file: HookFile | None

    async def call(self) -> int:
        """Call the functions for what is due, one after the other; return how much that was."""
        if self.file is None:
            return 0
        due = await deliveries.claim(self.database, CHANNELS, AT_ONCE)
        for one in due:
            await self._call(self.file, one)
            await deliveries.sent(self.database, one.id)
        return len(due)

    async def clear(self) -> int:
        """Forget what the functions have heard of, and all where there are none any more."""
        now = self.clock.now()
        given_up = 0 if self.file else await deliveries.give_up(self.database, CHANNELS, now)
        return given_up + await deliveries.clear(self.database, CHANNELS, now)

    async def _call(self, file: HookFile, due: Due) -> None:
        function, told = due.payload["function"], due.payload["account"]
        if not file.defines(function):
            return
        account = None if function == DELETED else await accounts.find(self.database, told["id"])
        request = _request(due.payload["doer"])
        await file.call(function, request, account or _as_it_was(told), take=lambda: True)


def _request(doer: Mapping[str, Any] | None) -> ChangeRequest | None:
    """Return who asked for a change over HTTP; None where nobody did."""
    if doer is None or doer["ip"] is None:
        return None
    return ChangeRequest(doer["ip"], doer["user_agent"] or "", doer["name"], doer["request_id"] or "")


def _as_it_was(told: Mapping[str, Any]) -> Account:
    """Return an account that is gone, without what belonged to it."""
    times = {name: datetime.fromisoformat(told[name]) for name in ("created_at", "updated_at")}
    fields = {name: value for name, value in told.items() if name != "sip_uri"}
    return Account(
        **{**fields, **times},
        ip_address=None,
        user_agent=None,
        provisioning_token=None,
        provisioning_token_made_at=None,
        passwords=(),
        dictionary={},
    )
