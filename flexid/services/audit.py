"""Reading the audit log."""

from __future__ import annotations

from attrs import evolve, frozen

from flexid.domain.account import Actor
from flexid.domain.audit import AuditEntry, AuditWish
from flexid.domain.errors import NotFound
from flexid.store import audit
from flexid.store.database import Database


@frozen
class Audit:
    """Who may read what."""

    database: Database

    async def page(self, actor: Actor, wish: AuditWish, number: int, per_page: int) -> tuple[int, list[AuditEntry]]:
        """Return how many entries there are, counted up to 10,000, and those of a page, the latest first.

        An administrator reads of the own Space; a super administrator of the Space that is named, or of all.

        :raise NotFound: it is another Space's.
        """
        if not actor.super_admin:
            if wish.domain not in {None, actor.domain}:
                raise NotFound
            wish = evolve(wish, domain=actor.domain)
        offset = (number - 1) * per_page
        return await audit.page(self.database, wish, offset, per_page, own=not actor.super_admin)
