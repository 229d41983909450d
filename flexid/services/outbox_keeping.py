"""What operators do with the outbox."""

from __future__ import annotations

from attrs import frozen

from flexid.base.text import Text
from flexid.domain.errors import Forbidden, NotFound
from flexid.domain.outbox import Channel, Entry, State
from flexid.store import outbox_view
from flexid.store.database import Database


@frozen
class OutboxKeeping:
    """The use cases, for commands."""

    database: Database

    async def entries(self, state: State | None, channel: Channel | None, most: int) -> list[Entry]:
        """Return what is in the outbox, the latest first, without what it says."""
        return await outbox_view.list_of(self.database, state, channel, most)

    async def retry(self, entry: int) -> None:
        """Let something be delivered now.

        :raise NotFound: there is no such thing.
        :raise Forbidden: it was delivered, or is for a webhook that is switched off.
        """
        if await outbox_view.retry(self.database, entry):
            return
        state = await outbox_view.state_of(self.database, entry)
        if state is None:
            raise NotFound
        raise Forbidden(Text("It was delivered") if state == "sent" else Text("The webhook is switched off"))

    async def retry_dead(self, channel: Channel | None) -> int:
        """Let all be delivered now that was given up; return how much that is."""
        return await outbox_view.retry_dead(self.database, channel)
