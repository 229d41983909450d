"""What administrators do with the CardDAV credentials of an account."""

from __future__ import annotations

from attrs import frozen

from flexid.base.text import Text
from flexid.domain.account import Actor
from flexid.domain.carddav import CardDavCredentials
from flexid.domain.errors import Forbidden, NotFound
from flexid.domain.passwords import hash_password
from flexid.services.accounts import domain_within_reach
from flexid.store import carddav_credentials
from flexid.store.carddav_credentials import Touched
from flexid.store.database import Database

OFF = Text("CardDAV credentials of users are off in this Space")


@frozen
class CardDavAccess:
    """The use cases, each of one statement."""

    database: Database

    async def every(self, actor: Actor, account_id: int) -> dict[int, CardDavCredentials]:
        """Return the credentials of an account by the id of their server.

        :raise NotFound: no such account within the actor's reach.
        :raise Forbidden: its Space has them off.
        """
        found = await carddav_credentials.read(self.database, account_id, domain_within_reach(actor))
        if found is None:
            raise NotFound
        is_on, credentials = found
        if not is_on:
            raise Forbidden(OFF)
        return credentials

    async def show(self, actor: Actor, account_id: int, server_id: int) -> CardDavCredentials:
        """Return the credentials of an account for a server.

        :raise NotFound: there are none, or no such account within the actor's reach.
        :raise Forbidden: its Space has them off.
        """
        credentials = await self.every(actor, account_id)
        if server_id not in credentials:
            raise NotFound
        return credentials[server_id]

    async def set(  # what the hash is made of
        self, actor: Actor, account_id: int, server_id: int, username: str, realm: str, algorithm: str, password: str
    ) -> int:
        """Give an account credentials for a server of its Space, or other ones; return how many there are now.

        :raise NotFound: no such server in the account's Space, or no such account within the actor's reach.
        :raise Forbidden: its Space has them off.
        """
        stored = hash_password(algorithm, username, realm, password)
        credentials = CardDavCredentials(username, realm, algorithm, stored.ha1)
        reach = domain_within_reach(actor)
        return _rows(await carddav_credentials.save(self.database, account_id, reach, server_id, credentials))

    async def delete(self, actor: Actor, account_id: int, server_id: int) -> int:
        """Delete the credentials of an account for a server, which stays; return how many there were.

        :raise NotFound: there are none, or no such account within the actor's reach.
        :raise Forbidden: its Space has them off.
        """
        reach = domain_within_reach(actor)
        return _rows(await carddav_credentials.delete(self.database, account_id, reach, server_id))


def _rows(touched: Touched | None) -> int:
    if touched is None:
        raise NotFound
    if not touched.is_on:
        raise Forbidden(OFF)
    if not touched.rows:
        raise NotFound
    return touched.rows
