"""Devices that are registered with an account."""

from __future__ import annotations

from attrs import frozen

from flexid.domain.account import Account, Actor
from flexid.domain.devices import Device
from flexid.domain.errors import Unavailable
from flexid.outbound.registrar import Registrar
from flexid.services.accounts import domain_within_reach
from flexid.services.reach import found
from flexid.store import accounts
from flexid.store.database import Database

PATIENCE_OF_PAGES = 0.5
"""Seconds that a page waits for the registrar before it shows everything else."""


@frozen
class Devices:
    """The use cases; where no registrar is configured nobody has a device."""

    database: Database
    registrar: Registrar

    @property
    def are_known(self) -> bool:
        """Say whether there is a registrar to ask."""
        return self.registrar.is_configured()

    async def list_of(self, actor: Actor, account_id: int) -> list[Device]:
        """Return the devices of an account, those first that were heard of last.

        :raise NotFound: no such account within the actor's reach.
        :raise Unavailable: the registrar does not answer.
        """
        return await self.registrar.devices(await self._address(actor, account_id))

    async def on_page(self, account: Account) -> list[Device] | None:
        """Return the devices of an account that the caller has shown to be within reach; None if nobody knows them."""
        try:
            return await self.registrar.devices(_address(account), PATIENCE_OF_PAGES)
        except Unavailable:
            return None

    async def remove(self, actor: Actor, account_id: int, uuid: str) -> int:
        """End the registration of a device, until it registers again; return how many there were.

        :raise NotFound: no such account within the actor's reach.
        :raise Unavailable: the registrar does not answer.
        """
        return await self.registrar.remove(await self._address(actor, account_id), uuid)

    async def _address(self, actor: Actor, account_id: int) -> str:
        if actor.account and actor.account.id == account_id:
            return _address(actor.account)
        return _address(found(await accounts.find(self.database, account_id, domain_within_reach(actor))))


def _address(account: Account) -> str:
    return f"{account.username}@{account.domain}"
