"""Events that webhooks hear of. Triggers write those of accounts and messages; others are announced here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flexid.store.query import Json, Query, Runner

# The lock lets nobody delete a webhook before what is put there for it can be seen, and stops nothing else.
ANNOUNCE = Query(
    "announce an event to webhooks",
    """
    INSERT INTO outbox (domain, channel, webhook_id, payload)
    SELECT s.domain, 'webhook', w.id, webhook_event(%(event)s::text, %(data)s::jsonb)
    FROM spaces s JOIN webhooks w ON w.space_id = s.id
    WHERE s.domain = %(domain)s AND w.enabled AND %(event)s::text = ANY (w.events)
    FOR KEY SHARE OF w
    """,
)


async def announce(runner: Runner, domain: str, event: str, data: Mapping[str, Any]) -> None:
    """Let the webhooks of a Space that listen to an event hear of it after the commit.

    `runner` is the transaction that causes it; `event` is one of `flexid.domain.webhooks.EVENTS`, and `data` what its
    JSON says, without passwords, codes, keys and tokens.
    """
    await runner.run(ANNOUNCE, domain=domain, event=event, data=Json(dict(data)))
