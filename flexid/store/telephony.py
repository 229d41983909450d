"""What a dashboard shows of telephony, in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from attrs import frozen

from flexid.domain.call_forwardings import CallForwarding
from flexid.domain.voicemails import Voicemail
from flexid.store.query import Query, Runner

GLANCE = Query(
    "glance at voicemails and call forwardings",
    """
    SELECT (
        SELECT jsonb_agg(to_jsonb(v) ORDER BY v.created_at DESC) FROM (
            SELECT id, sip_from, content_type, name, size, created_at, uploaded_at FROM account_files
            WHERE account_id = %(account_id)s AND uploaded_at IS NOT NULL ORDER BY created_at DESC LIMIT %(most)s
        ) v
    ) AS voicemails, (
        SELECT jsonb_agg(to_jsonb(f)) FROM (
            SELECT c.id, c.type, c.forward_to, c.sip_uri, c.enabled, c.contact_id,
                'sip:' || b.username || '@' || b.domain AS contact_sip_uri, c.created_at, c.updated_at
            FROM call_forwardings c LEFT JOIN accounts b ON b.id = c.contact_id WHERE c.account_id = %(account_id)s
        ) f
    ) AS forwardings
    """,
)
_TIMES = ("created_at", "updated_at", "uploaded_at")


@frozen
class Glance:
    """The latest voicemails of an account, and its call forwardings."""

    voicemails: Sequence[Voicemail]
    forwardings: Sequence[CallForwarding]


async def glance(runner: Runner, account_id: int, most: int) -> Glance:
    """Return at most so many voicemails, the newest first, and all call forwardings."""
    row = (await runner.run(GLANCE, account_id=account_id, most=most))[0]
    return Glance(
        [Voicemail(**_timed(each)) for each in row["voicemails"] or ()],
        [CallForwarding(**_timed(each)) for each in row["forwardings"] or ()],
    )


def _timed(row: dict[str, Any]) -> dict[str, Any]:
    return {name: datetime.fromisoformat(value) if name in _TIMES else value for name, value in row.items()}
