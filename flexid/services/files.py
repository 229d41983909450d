"""Files of accounts: fetched by whoever has their link, and removed when they are no longer wanted."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import BinaryIO

from attrs import frozen
from twisted.internet.threads import deferToThread

from flexid.base.clock import Clock
from flexid.domain.errors import NotFound, Unavailable
from flexid.domain.space import Space
from flexid.domain.voicemails import Voicemail, read_id
from flexid.services.reach import found
from flexid.store import account_files
from flexid.store.database import Database
from flexid.store.file_folder import FileFolder

UNFILLED = timedelta(days=1)
"""How long a slot waits to be filled, and a draft for the rest of it."""


@frozen
class Files:
    """The use cases; `lifetime` is how many minutes files are kept, 0 = for ever."""

    database: Database
    folder: FileFolder
    clock: Clock
    lifetime: int

    async def open(self, space: Space, file_id: str, name: str) -> tuple[Voicemail, BinaryIO]:
        """Return a file of a Space, and open it; on the host of a super Space those of all Spaces are found.

        :raise NotFound: there is none of this id and name.
        """
        domain = None if space.super else space.domain
        known = found(await account_files.find(self.database, domain, found(read_id(file_id)), name))
        try:
            return known, await deferToThread(self.folder.open, known.id)
        except FileNotFoundError:
            raise NotFound from None
        except OSError as error:
            raise Unavailable from error

    async def remove_deleted(self) -> int:
        """Remove files from the disk that were deleted, or whose accounts were; return how many."""
        deleted = await account_files.deleted(self.database)
        if deleted:
            await deferToThread(self._remove, deleted)
            await account_files.forget(self.database, deleted)
        return len(deleted)

    async def delete_old(self) -> int:
        """Delete files that have been kept for as long as they are to be; return how many."""
        if not self.lifetime:
            return 0
        before = self.clock.now() - timedelta(minutes=self.lifetime)
        return await account_files.delete_old(self.database, before)

    async def delete_unfilled(self) -> int:
        """Delete slots that nobody filled; return how many."""
        return await account_files.delete_unfilled(self.database, self.clock.now() - UNFILLED)

    async def remove_drafts(self) -> int:
        """Remove what uploads left that were cut off together with their process."""
        before = (self.clock.now() - UNFILLED).timestamp()
        await deferToThread(self.folder.remove_drafts, before)
        return 0

    def before(self, days: int) -> datetime:
        """Return the moment that lies so many days back."""
        return self.clock.now() - timedelta(days=days)

    async def count_older(self, days: int) -> int:
        """Return how many files were made more than so many days ago."""
        return await account_files.count_old(self.database, self.before(days))

    async def delete_older(self, days: int) -> int:
        """Delete files that were made more than so many days ago; return how many at once."""
        return await account_files.delete_old(self.database, self.before(days))

    def _remove(self, deleted: list[str]) -> None:
        for file_id in deleted:
            self.folder.remove(file_id)
