"""A whole database of Flexisip Account Manager, moved into ours in one transaction: all or nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import Event
from typing import Any

import psycopg2
from attrs import define, field, frozen
from psycopg2.extensions import QueryCanceledError

from flexid.store.upstream import lifetimes, mending, quiet, source, staging
from flexid.store.upstream.files import File
from flexid.store.upstream.findings import Finding, Findings
from flexid.store.upstream.mending import Mend
from flexid.store.upstream.plan import DIGEST, plan
from flexid.store.upstream.source import Source, failure
from flexid.store.upstream.staging import SUM_OF_HASHES, Reading
from flexid.store.upstream.tables import TABLES

Heard = Callable[[str, int, int], None]
"""Is told what is being done, how much of it is done, and how much there is of it."""

# All of ours go by an index (flexid.store.connector); these compare everything, and know best when they are asked.
SETTINGS = """
    SET LOCAL enable_seqscan = on; SET LOCAL plan_cache_mode = auto; SET LOCAL work_mem = '64MB';
    SET LOCAL statement_timeout = 0
"""
# Foreign keys are checked by plans that are made while a table is empty: they have to go by an index too.
WRITING = "SET LOCAL enable_seqscan = off"
LOCK = "SELECT pg_try_advisory_xact_lock(7025883)"
SEQUENCES = (
    "accounts",
    "account_actions",
    "contacts_lists",
    "call_forwardings",
    "external_accounts",
)
"""Tables in which rows keep the ids that they had."""
MOVE_SEQUENCE = """
    SELECT setval('{table}_id_seq', greatest(highest, (SELECT last_value FROM {table}_id_seq)))
    FROM (SELECT greatest((SELECT max(id) FROM {table}), (SELECT max(id) FROM up_{table})) AS highest) found
    WHERE highest IS NOT NULL
"""
TELL_ALL = "SELECT pg_notify('flexid_spaces', '')"
UPLOADS = "SELECT count(*) FROM up_account_files WHERE uploaded_at IS NOT NULL"
FILES = "SELECT id, name, size FROM up_account_files WHERE uploaded_at IS NOT NULL ORDER BY id"


@frozen
class Line:
    """One table: how many rows it had, how many of them were left out, and how many are here as they should be."""

    table: str
    there: int
    left_out: int
    here: int
    complete: bool


@frozen
class Report:
    """What was moved, or what would be."""

    version: str
    lines: tuple[Line, ...]
    findings: tuple[Finding, ...]
    absent: tuple[str, ...]
    """Tables that this version did not have."""
    unknown: Mapping[str, int]
    """Tables that are not moved since nobody knows what they are for, with how many rows they have."""
    hashes_match: bool
    moved: bool
    uploads: int
    """How many rows tell of an uploaded file."""
    files: tuple[File, ...] = field(default=(), repr=False)
    """These files, where somebody wants to copy them."""

    @property
    def refused(self) -> bool:
        """Whether something has to be decided first."""
        return any(finding.fate == "refused" for finding in self.findings)

    @property
    def complete(self) -> bool:
        """Whether all arrived that was to."""
        return self.hashes_match and all(line.complete for line in self.lines)


@define
class Moving:
    """One move; `values` are lifetimes by name, `root_host`, and the `realm` and `algorithm` of versions before 2.1."""

    url: str
    dsn: str
    values: Mapping[str, object]
    heard: Heard
    with_files: bool = False
    _stopped: Event = field(factory=Event, init=False)
    _ours: Any = field(default=None, init=False)

    def interrupt(self) -> None:
        """Stop, from another thread: nothing is moved."""
        self._stopped.set()
        if self._ours is not None:
            self._ours.cancel()

    def run(self, *, dry_run: bool) -> Report:
        """Move everything, or with `dry_run` do the same and take it back.

        :raise UpstreamFailed: a server failed, the database is none, or something did not arrive; nothing was moved.
        """
        theirs = source.connect(self.url)
        try:
            self._ours = psycopg2.connect(self.dsn)
            return self._move(theirs, dry_run=dry_run)
        except QueryCanceledError:
            raise failure("interrupted, and nothing was moved") from None
        except psycopg2.Error as error:
            raise failure(error) from None
        finally:
            theirs.close()
            if self._ours is not None:
                self._ours.close()

    def _move(self, theirs: Source, *, dry_run: bool) -> Report:
        there = theirs.columns()
        if not {"accounts", "passwords"} <= there.keys():
            raise failure("this is no database of Flexisip Account Manager: it has no accounts and passwords")
        with self._ours.cursor() as cursor:
            cursor.execute(SETTINGS)
            cursor.execute(LOCK)
            if not cursor.fetchone()[0]:
                raise failure("somebody else is moving a database here")
            staging.create(cursor)
            findings = Findings()
            reading = Reading(findings)
            reading.read(theirs, cursor, lambda done, total: self._tell("read", done, total))
            intact = _number(cursor, SUM_OF_HASHES.format(table="up_passwords")) == reading.hashes
            self._mend(cursor, findings)
            lines: tuple[Line, ...] = ()
            if not findings.refused:
                lines = self._write(cursor, reading, dry_run=dry_run)
                intact = intact and self._same_hashes(cursor)
            files: tuple[File, ...] = ()
            if self.with_files:
                cursor.execute(FILES)
                files = tuple(cursor.fetchall())
            report = Report(
                version(there),
                lines,
                tuple(findings),
                tuple(table.name for table in TABLES if table.name not in reading.present and table.name != "admins"),
                reading.unknown,
                intact,
                moved=not dry_run and not findings.refused,
                uploads=_number(cursor, UPLOADS),
                files=files,
            )
        if report.moved and not report.complete:
            wrong = ", ".join(line.table for line in report.lines if not line.complete) or "passwords"
            raise failure(f"not all arrived as it should, and nothing was moved: {wrong}")
        self._check()
        if report.moved:
            self._ours.commit()
        return report

    def _mend(self, cursor: Any, findings: Findings) -> None:
        steps: list[Mend | str] = [*mending.SPACES, *mending.ACCOUNTS, *mending.BELONGINGS, *lifetimes.mends()]
        for number, step in enumerate(steps, 1):
            if isinstance(step, Mend):
                step.run(cursor, findings, self.values)
            else:
                cursor.execute(step)
            self._tell("compared", number, len(steps))

    def _write(self, cursor: Any, reading: Reading, *, dry_run: bool) -> tuple[Line, ...]:
        if not dry_run:
            # Whoever makes something meanwhile is not to get an id that is on its way.
            _move_sequences(cursor)
        cursor.execute(WRITING)
        silenced = quiet.hush(cursor)
        steps = plan(reading.present)
        for number, move in enumerate(steps, 1):
            for statement in move.statements:
                cursor.execute(statement, self.values)
            self._tell("written", number, len(steps))
        quiet.wake(cursor, silenced)
        if not dry_run:
            _move_sequences(cursor)
        cursor.execute(TELL_ALL)
        lines = []
        for move in steps:
            if move.arrived and move.table in reading.counts:
                staged = _number(cursor, f"SELECT count(*) FROM up_{move.table}")
                here = _number(cursor, move.arrived)
                there = reading.counts[move.table]
                lines.append(Line(move.table, there, max(there - staged, 0), here, complete=here == staged))
        return tuple(lines)

    def _same_hashes(self, cursor: Any) -> bool:
        ours = SUM_OF_HASHES.format(table="passwords") + "WHERE p.account_id IN (SELECT id FROM up_accounts)"
        return _number(cursor, ours) == _number(cursor, SUM_OF_HASHES.format(table="up_passwords"))

    def _tell(self, doing: str, done: int, total: int) -> None:
        self._check()
        self.heard(doing, done, total)

    def _check(self) -> None:
        if self._stopped.is_set():
            raise failure("interrupted, and nothing was moved")


def version(there: Mapping[str, object]) -> str:
    """Return which version made the tables of a database, as far as they tell."""
    if DIGEST in there or "opaques" in there:
        return "2.1"
    if "spaces" in there:
        return "2.0"
    return "before 1.5" if "admins" in there else "1.5 or later, before 2.0"


def _move_sequences(cursor: Any) -> None:
    for table in SEQUENCES:
        cursor.execute(MOVE_SEQUENCE.format(table=table))


def _number(cursor: Any, query: str) -> int:
    cursor.execute(query)
    return int(cursor.fetchone()[0])
