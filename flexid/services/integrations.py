"""What a Space works together with: its CardDAV servers, its mail server, its OpenID server."""

from __future__ import annotations

from typing import Any, TypeVar

from attrs import frozen

from flexid.domain.carddav import CardDavSettings
from flexid.domain.errors import NotFound
from flexid.domain.mail_server import MailServer
from flexid.domain.oidc import OidcConfiguration
from flexid.services.space_directory import SpaceDirectory
from flexid.services.spaces import Spaces
from flexid.store import carddav_servers, mail_servers, oidc
from flexid.store.database import Database

T = TypeVar("T")


@frozen
class Integrations:
    """The use cases, each of one statement; who may do it is decided by the caller. No secret comes back."""

    database: Database
    directory: SpaceDirectory
    spaces: Spaces

    async def carddav_servers(self, domain: str) -> tuple[dict[str, Any], ...]:
        """Return the CardDAV servers of a Space, the oldest first.

        :raise NotFound: no such Space.
        """
        return (await self.spaces.show(domain)).carddav_servers

    async def carddav_server(self, domain: str, server_id: int) -> dict[str, Any]:
        """Return a CardDAV server of a Space.

        :raise NotFound: no such Space, or server of it.
        """
        servers = await self.carddav_servers(domain)
        return _found(next((server for server in servers if server["id"] == server_id), None))

    async def add_carddav_server(self, domain: str, settings: CardDavSettings) -> dict[str, Any]:
        """Give a Space one more CardDAV server.

        :raise NotFound: no such Space.
        """
        return self._changed(await carddav_servers.create(self.database, domain.lower(), settings))

    async def change_carddav_server(self, domain: str, server_id: int, settings: CardDavSettings) -> dict[str, Any]:
        """Change a CardDAV server of a Space.

        :raise NotFound: no such Space, or server of it.
        """
        return self._changed(await carddav_servers.change(self.database, domain.lower(), server_id, settings))

    async def delete_carddav_server(self, domain: str, server_id: int) -> int:
        """Delete a CardDAV server of a Space with all credentials for it; return how many there were.

        :raise NotFound: none.
        """
        return self._changed(await carddav_servers.delete(self.database, domain.lower(), server_id) or None)

    async def mail_server(self, domain: str) -> dict[str, Any]:
        """Return the mail server of a Space.

        :raise NotFound: no such Space, or it has none of its own.
        """
        return _found((await self.spaces.show(domain)).email_server)

    async def set_mail_server(self, domain: str, server: MailServer) -> tuple[dict[str, Any], bool]:
        """Give a Space its own mail server, or another one; return it, and whether it is the first.

        :raise NotFound: no such Space.
        """
        return self._changed(await mail_servers.save(self.database, domain.lower(), server))

    async def delete_mail_server(self, domain: str) -> int:
        """Take its mail server away from a Space; return how many there were.

        :raise NotFound: none.
        """
        return self._changed(await mail_servers.delete(self.database, domain.lower()) or None)

    async def oidc(self, domain: str) -> dict[str, Any]:
        """Return the OpenID configuration of a Space.

        :raise NotFound: no such Space, or it has none.
        """
        return _found((await self.spaces.show(domain)).oidc)

    async def set_oidc(self, domain: str, configuration: OidcConfiguration) -> dict[str, Any]:
        """Give a Space its OpenID configuration, or another one: nothing of the one before stays, not its secret.

        :raise NotFound: no such Space.
        """
        return self._changed(await oidc.save(self.database, domain.lower(), configuration))

    async def delete_oidc(self, domain: str) -> int:
        """Take its OpenID configuration away from a Space; return how many there were.

        :raise NotFound: none.
        """
        return self._changed(await oidc.delete(self.database, domain.lower()) or None)

    def _changed(self, outcome: T | None) -> T:
        found = _found(outcome)
        self.directory.forget()
        return found


def _found(value: T | None) -> T:
    if value is None:
        raise NotFound
    return value
