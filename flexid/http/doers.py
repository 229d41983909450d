"""Who makes a request, as the audit log names him."""

from __future__ import annotations

from typing import Any

from flexid.domain.acting import Doer, Means
from flexid.http.call import Call
from flexid.services.api_keys import SHOWN_OF_KEY


def of(call: Call[Any]) -> Doer:
    """Return who makes a request that the guards have let through, and how he showed that."""
    actor = call.caller or (call.visit.viewer.actor if call.visit.viewer else None)
    key = call.request.header("x-api-key")
    means = _means(call, key) if actor else "none"
    return Doer(
        f"{actor.username}@{actor.domain}" if actor else "",
        means,
        actor.account_id if actor else None,
        key[:SHOWN_OF_KEY] if key and means == "api_key" else None,
        call.origin.ip,
        call.origin.user_agent,
        call.request_id,
    )


def _means(call: Call[Any], key: str | None) -> Means:
    if call.visit.viewer:
        return "session"
    if call.by_certificate:
        return "certificate"
    scheme = (call.request.header("authorization") or "").partition(" ")[0].lower()
    # In the order in which the guards look.
    if scheme == "bearer":
        return "bearer"
    return "api_key" if key else "digest"
