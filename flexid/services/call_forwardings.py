"""Call forwardings of accounts: users manage their own, administrators those of their Space."""

from __future__ import annotations

from attrs import frozen

from flexid.base.text import Text
from flexid.domain.account import Actor
from flexid.domain.call_forwardings import EXCLUSIVE, NO_CONTACT, TAKEN, CallForwarding, NewCallForwarding, faults
from flexid.domain.errors import Invalid, NotFound
from flexid.services.accounts import domain_within_reach
from flexid.services.reach import found
from flexid.store import call_forwardings
from flexid.store.call_forwardings import Standing
from flexid.store.database import Database
from flexid.store.failures import ConstraintViolated


@frozen
class CallForwardings:
    """The use cases, each of one statement, and of one more to say why something is refused.

    Each raises NotFound where there is no such account within the actor's reach.
    """

    database: Database

    async def list_of(self, actor: Actor, account_id: int) -> list[CallForwarding]:
        """Return the call forwardings of an account, the newest first."""
        return found(await call_forwardings.list_of(self.database, account_id, domain_within_reach(actor)))

    async def show(self, actor: Actor, account_id: int, forwarding_id: int) -> CallForwarding:
        """Return a call forwarding of an account.

        :raise NotFound: it has none of this id.
        """
        reach = domain_within_reach(actor)
        known = found(await call_forwardings.list_of(self.database, account_id, reach, forwarding_id))
        if not known:
            raise NotFound
        return known[0]

    async def add(self, actor: Actor, account_id: int, new: NewCallForwarding) -> CallForwarding:
        """Add a call forwarding to an account.

        :raise Invalid: the account's others do not allow it, or it has no such contact.
        """
        try:
            added = await call_forwardings.add(self.database, account_id, domain_within_reach(actor), new)
        except ConstraintViolated:
            added = None
        return added or await self._refuse(actor, account_id, None, new)

    async def change(self, actor: Actor, account_id: int, forwarding_id: int, new: NewCallForwarding) -> CallForwarding:
        """Replace a call forwarding of an account.

        :raise NotFound: it has none of this id.
        :raise Invalid: the account's others do not allow it, or it has no such contact.
        """
        reach = domain_within_reach(actor)
        try:
            changed = await call_forwardings.change(self.database, account_id, reach, forwarding_id, new)
        except ConstraintViolated:
            changed = None
        return changed or await self._refuse(actor, account_id, forwarding_id, new)

    async def delete(self, actor: Actor, account_id: int, forwarding_id: int) -> int:
        """Delete a call forwarding of an account; return how many there were."""
        reach = domain_within_reach(actor)
        return found(await call_forwardings.delete(self.database, account_id, reach, forwarding_id))

    async def refuse_type(
        self, actor: Actor, account_id: int, forwarding_id: int | None, wanted: str | None
    ) -> dict[str, list[Text]]:
        """Return what is wrong with the type of a call forwarding whose other fields are wrong already.

        :raise NotFound: no such account within the actor's reach, or it has no call forwarding of this id.
        """
        others = _others(await self._standing(actor, account_id, None), forwarding_id)
        return {"type": [TAKEN]} if wanted in dict(others) else {}

    async def _refuse(
        self, actor: Actor, account_id: int, forwarding_id: int | None, new: NewCallForwarding
    ) -> CallForwarding:
        standing = await self._standing(actor, account_id, new.contact_id)
        wrong = faults(new, _others(standing, forwarding_id))
        if not standing.contact_is_known:
            wrong["contact_id"] = [NO_CONTACT]
        # What was in the way may be gone by now.
        raise Invalid(wrong or {"enabled": [EXCLUSIVE]})

    async def _standing(self, actor: Actor, account_id: int, contact_id: int | None) -> Standing:
        reach = domain_within_reach(actor)
        return found(await call_forwardings.standing(self.database, account_id, reach, contact_id))


def _others(standing: Standing, forwarding_id: int | None) -> list[tuple[str, bool]]:
    if forwarding_id is not None and forwarding_id not in standing.forwardings:
        raise NotFound
    return [forwarding for number, forwarding in standing.forwardings.items() if number != forwarding_id]
