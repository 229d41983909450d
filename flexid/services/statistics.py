"""Statistics: Flexisip writes them, accounts and administrators read them."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

from flexid.base.text import Text
from flexid.domain.errors import Malformed, NotFound
from flexid.domain.sip_address import SipAddress
from flexid.domain.statistics import Call, CallDevice, MessageDevice, NewCall, NewMessage
from flexid.store import statistics
from flexid.store.database import Database

KNOWN = Text("This id is known already")


@frozen
class Statistics:
    """The use cases. Flexisip serves several domains with one key, so whoever may write writes about any of them."""

    database: Database

    async def add_call(self, call: NewCall) -> None:
        """Note a call.

        :raise Malformed: its id is known.
        """
        if not await statistics.add_call(self.database, call):
            raise Malformed(KNOWN)

    async def end_call(self, call_id: str, ended_at: datetime | None) -> Call:
        """Note when a call ended.

        :raise NotFound: there is no such call.
        """
        call = await statistics.end_call(self.database, call_id, ended_at)
        if call is None:
            raise NotFound
        return call

    async def set_call_device(
        self,
        call_id: str,
        device_id: str,
        rang_at: datetime | None,
        terminated: tuple[datetime, str] | None,
    ) -> tuple[CallDevice, bool]:
        """Note what a device did with a call; return that, and whether the device is new.

        :raise Malformed: there is no such call.
        """
        terminated_at, state = terminated or (None, None)
        noted = await statistics.set_call_device(
            self.database, call_id, device_id, rang_at=rang_at, terminated_at=terminated_at, state=state
        )
        if noted is None:
            raise Malformed(Text("There is no such call"))
        return noted

    async def add_message(self, message: NewMessage) -> None:
        """Note a message.

        :raise Malformed: its id is known.
        """
        if not await statistics.add_message(self.database, message):
            raise Malformed(KNOWN)

    async def set_message_device(
        self, message_id: str, recipient: SipAddress, device_id: str, last_status: int, received_at: datetime | None
    ) -> tuple[MessageDevice, bool]:
        """Note what became of a message on a device; return that, and whether the device is new.

        :raise Malformed: there is no such message.
        """
        noted = await statistics.set_message_device(
            self.database, message_id, recipient, device_id, last_status=last_status, received_at=received_at
        )
        if noted is None:
            raise Malformed(Text("There is no such message"))
        return noted

    async def calls_of(self, username: str, domain: str, number: int, per_page: int) -> tuple[int, list[Call]]:
        """Return how many calls somebody made and got, and those of a page, the latest first."""
        return await statistics.calls_of(self.database, username, domain, (number - 1) * per_page, per_page)
