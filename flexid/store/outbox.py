"""What waits to be delivered: written in the transaction that causes it, so that neither happens without the other.

Changes of external accounts are told by a trigger of their table.
"""

from __future__ import annotations

from flexid.domain.outbox import Outgoing
from flexid.store.query import Json, Query, Runner

PUT = Query(
    "put into the outbox",
    "INSERT INTO outbox (domain, channel, payload) VALUES (%(domain)s, %(channel)s, %(payload)s)",
)


async def put(runner: Runner, outgoing: Outgoing) -> None:
    """Let something be delivered after the commit; `runner` is the transaction that causes it.

    :raise ReferenceGone: its Space was deleted meanwhile.
    """
    await runner.run(PUT, domain=outgoing.domain, channel=outgoing.channel, payload=Json(dict(outgoing.payload)))
