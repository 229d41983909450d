"""Which countries' phone numbers may be used."""

from __future__ import annotations

from attrs import frozen

from flexid.domain.errors import NotFound
from flexid.domain.phones import PhoneCountry, all_countries
from flexid.store import phone_countries
from flexid.store.database import Database


@frozen
class PhoneCountries:
    """What may be done with phone countries."""

    database: Database

    async def every(self) -> list[PhoneCountry]:
        """Return all countries."""
        return await phone_countries.every(self.database)

    async def set_activated(self, code: str, *, value: bool) -> int:
        """Activate or deactivate every country with the calling code of this one; return how many.

        :raise NotFound: no such country.
        """
        if not (touched := await phone_countries.set_activated(self.database, code.upper(), value=value)):
            raise NotFound
        return touched

    async def set_all_activated(self, *, value: bool) -> int:
        """Activate or deactivate all countries; return how many that changed."""
        return await phone_countries.set_all_activated(self.database, value=value)

    async def update(self) -> int:
        """Take over what libphonenumber knows today; return how many countries were new or changed."""
        return await phone_countries.update(self.database, all_countries())
