"""Handlers of `/accounts/me/…` that are those of `/accounts/{account_id}/…` too."""

from __future__ import annotations

from typing import Any

from flexid.http.call import Call

OWN = -1
"""What stands for the caller's own account where a path has no `account_id`; no path can hold it."""


def account_of(call: Call[Any], account_id: int) -> int:
    """Return the id of the account that a request is about."""
    return call.actor.account_id if account_id == OWN else account_id
