"""Logos of Spaces, for who looks at them."""

from __future__ import annotations

from attrs import frozen

from flexid.domain.errors import NotFound
from flexid.domain.logos import Logo
from flexid.domain.space import Space
from flexid.store import logos
from flexid.store.database import Database


@frozen
class Logos:
    """The use cases; see `SpacePages.configure` for how a Space gets one."""

    database: Database

    async def show(self, space: Space, name: str | None) -> Logo:
        """Return the logo of a Space.

        :raise NotFound: it has none, or another one by now.
        """
        logo = await logos.find(self.database, space.id, name) if name else None
        if logo is None:
            raise NotFound
        return logo
