"""Accounts from files, many at once: all of them, or none."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from typing import Any

from attrs import define, field
from twisted.internet.defer import DeferredSemaphore, ensureDeferred
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from flexid.base.settings import Accounts as AccountSettings
from flexid.base.text import Text
from flexid.domain.account import Origin
from flexid.domain.account_imports import AccountImport, Format, ImportRefused, ImportReport
from flexid.domain.errors import Unavailable
from flexid.domain.space import Space
from flexid.services.import_process import ImportBroken, ImportProcesses, ImportRun
from flexid.services.import_worker import Order
from flexid.store import account_imports
from flexid.store.account_imports import NewImport
from flexid.store.ambient import apart
from flexid.store.database import Database
from flexid.store.doer import naming_the_doer

AT_ONCE = 2
LONGEST_QUEUE = 8
BEAT_SECONDS = 1.0
STATEMENT_SECONDS = 1200.0
"""How long PostgreSQL may take for one statement of an import."""
Heard = Callable[[int], object]
BUSY = Text("Too many files are being imported at the moment, please try again")
BROKEN = Text("The import broke off. Nothing was written, please try again")


def _nobody(_: int) -> None:
    """Nobody waits for it."""


@define
class AccountImports:
    """The use cases. A process of its own reads, checks and writes each file, so that nobody else has to wait."""

    log = Logger()

    database: Database
    settings: AccountSettings
    _turns: DeferredSemaphore = field(factory=lambda: DeferredSemaphore(AT_ONCE), init=False)

    async def take(  # a file, where it goes and where it comes from
        self,
        space: Space,
        file: int,
        size: int,
        form: Format,
        origin: Origin,
        *,
        made_by: str,
        dry_run: bool,
        heard: Heard = _nobody,
    ) -> ImportReport:
        """Create the accounts of a file, or only check it; `file` is a descriptor of `size` bytes.

        `heard` is told every second how many bytes have been checked.

        :raise ImportRefused: there are problems; nothing was written.
        :raise Unavailable: too many files at once, or the import broke off.
        """
        new = NewImport(space.domain, size, origin, made_by)
        # Another process has to see it at once.
        with apart():
            begun = await account_imports.begin(self.database, new)
            if begun is None:
                raise Unavailable(BUSY)
            try:
                await self._run(begun.id, "check" if dry_run else "both", form, file, heard)
                ended = await account_imports.find_by_id(self.database, begun.id)
            finally:
                await account_imports.delete(self.database, begun.id)
        if ended is None:
            raise Unavailable(BROKEN)
        if ended.report.total:
            raise ImportRefused(ended.report)
        return ended.report

    async def check(
        self, space: Space, session_id: str, file: int, size: int, form: Format, origin: Origin, *, made_by: str
    ) -> None:
        """Begin to check a file that waits for its session's word then; an earlier one of the session goes.

        :raise Unavailable: too many files at once, or the session has a file that is being worked on.
        """
        session = _hash(session_id)
        await account_imports.drop(self.database, session)
        begun = await account_imports.begin(self.database, NewImport(space.domain, size, origin, made_by, session))
        if begun is None:
            raise Unavailable(BUSY)
        # The caller closes its own, perhaps before it is this one's turn.
        self._go_on(begun.id, "check", form, os.dup(file))

    async def find(self, session_id: str) -> AccountImport | None:
        """Return the file that a session has on its way."""
        return await account_imports.find(self.database, _hash(session_id))

    async def write(self, session_id: str, import_id: int, form: Format) -> bool:
        """Begin to write what was checked; return whether it still waited for that."""
        if not await account_imports.confirm(self.database, _hash(session_id), import_id):
            return False
        self._go_on(import_id, "write", form, None)
        return True

    async def drop(self, session_id: str) -> bool:
        """Forget a session's file, unless it is being worked on; return whether there was one."""
        return await account_imports.drop(self.database, _hash(session_id))

    def _go_on(self, import_id: int, work: Any, form: Format, file: int | None) -> None:
        """Work on an import while the answer is on its way; what comes of it stands in the database."""

        async def go() -> None:
            try:
                await self._run(import_id, work, form, file)
            except Unavailable:
                self.log.warn("The import {id} broke off", event="import.broken", id=import_id)
            finally:
                if file is not None:
                    os.close(file)

        ensureDeferred(go())

    async def _run(self, import_id: int, work: Any, form: Format, file: int | None, heard: Heard = _nobody) -> None:
        """Work on an import when it is its turn; that it waits, or goes on, is told all the time."""
        if len(self._turns.waiting) >= LONGEST_QUEUE:
            await account_imports.break_off(self.database, import_id)
            raise Unavailable(BUSY)
        runs: list[ImportRun] = []

        async def beat() -> None:
            done = runs[0].done if runs else 0
            heard(done)
            try:
                await account_imports.beat(self.database, import_id, done)
            except Unavailable:
                self.log.debug("The database is away: an import goes on in silence")

        beats = LoopingCall(lambda: ensureDeferred(beat()))
        beats.clock = self.database.reactor
        beats.start(BEAT_SECONDS, now=False)
        try:
            await self._turns.acquire()
            try:
                order = Order(self._dsn, import_id, work, form, self._rules, naming_the_doer())
                runs.append(ImportProcesses(self.database.reactor, os.environ).start(order, file))
                await runs[0].ended
            finally:
                self._turns.release()
        except ImportBroken:
            await account_imports.break_off(self.database, import_id)
            raise Unavailable(BROKEN) from None
        finally:
            beats.stop()

    @property
    def _dsn(self) -> str:
        return self.database.dsn_for(STATEMENT_SECONDS)

    @property
    def _rules(self) -> dict[str, Any]:
        return {
            "username_regex": self.settings.username_regex,
            "username_blacklist": self.settings.username_blacklist,
            "phone_as_username": self.settings.allow_phone_number_username_admin_api,
            "password_min_length": self.settings.password_min_length,
        }


def _hash(session_id: str) -> bytes:
    return hashlib.sha256(session_id.encode("utf-8", "surrogatepass")).digest()
