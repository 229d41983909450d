"""Moving from Flexisip Account Manager: its whole database, and the files beside it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from attrs import frozen
from twisted.internet.defer import CancelledError
from twisted.internet.threads import deferToThread

from flexid.base.settings import Lifetimes
from flexid.store.database import Database
from flexid.store.file_folder import FileFolder
from flexid.store.upstream import files
from flexid.store.upstream.files import Copied
from flexid.store.upstream.findings import Finding
from flexid.store.upstream.moving import Line, Moving, Report

__all__ = ["Copied", "Finding", "Line", "Moved", "Report", "Upstream", "Wish"]


@frozen
class Wish:
    """What to move, and how: `realm` and `algorithm` count for versions before 2.1, which kept them in a file.

    None as realm stands for the domain of each Space.
    """

    url: str
    dry_run: bool = False
    realm: str | None = None
    algorithm: str = "SHA-256"
    files: Path | None = None


@frozen
class Moved:
    """What was moved; `copied` is None where no folder of files was named."""

    report: Report
    copied: Copied | None


@frozen
class Upstream:
    """The use case."""

    database: Database
    lifetimes: Lifetimes
    root_host: str
    folder: FileFolder

    async def move(self, wish: Wish, heard: Callable[[str, int, int], None]) -> Moved:
        """Move a database into ours, whole or not at all, or with `dry_run` only tell what would happen.

        `heard` is told from another thread what is being done, how much of it is done, and how much there is.
        Nothing is moved while the report says `refused`.

        :raise UpstreamFailed: a server cannot be reached, or not all arrived; nothing was moved.
        """
        given = {"root_host": self.root_host, "realm": wish.realm, "algorithm": wish.algorithm}
        values = {**self.lifetimes.model_dump(), **given}
        moving = Moving(wish.url, self.database.dsn_for(0), values, heard, with_files=wish.files is not None)
        working = deferToThread(moving.run, dry_run=wish.dry_run)
        try:
            report = await working
        except CancelledError:
            moving.interrupt()
            raise
        copied = None
        if report.moved and wish.files is not None:
            copied = await deferToThread(files.copy, wish.files, report.files, self.folder)
        return Moved(report, copied)
