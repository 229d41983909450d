"""The schema, brought up to date by the files `migrations/NNNN_name.sql`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from attrs import frozen

from flexid.base.text import Text
from flexid.domain.errors import DomainError
from flexid.store.database import Database
from flexid.store.failures import ConstraintViolated, QueryFailed
from flexid.store.query import Query, Runner

FOLDER = Path(__file__).parent / "migrations"
UNDEFINED_TABLE = "42P01"
EXTENSIONS_MISSING = "extensions_missing"
"""What a step calls it when PostgreSQL refuses to create extensions."""
LONGEST_STEP = 3600.0
"""Seconds that a step may take on large tables, or wait for another process to take it."""

APPLIED = Query(
    "list migrations",
    "SELECT version, name, checksum, applied_at FROM schema_migrations ORDER BY version",
    prepare=False,
)
# Any number will do, as long as nothing else of ours locks it; it is freed when the transaction ends.
LOCK = Query("lock the schema", "SELECT pg_advisory_xact_lock(7025881)", prepare=False)
CREATE = Query(
    "create the table of migrations",
    """
    CREATE TABLE IF NOT EXISTS schema_migrations (
        version integer PRIMARY KEY,
        name text NOT NULL,
        checksum text NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    prepare=False,
)
RECORD = Query(
    "record a migration",
    "INSERT INTO schema_migrations (version, name, checksum) VALUES (%(version)s, %(name)s, %(checksum)s)",
    prepare=False,
)


class SchemaMismatch(DomainError):  # noqa: N818  # a reason, as the domain's errors are
    """The schema in the database is not one that this program can work with."""


@frozen
class Migration:
    """One step of the schema; `version` is its number."""

    version: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """Return what tells whether the file was changed after it was applied."""
        return sha256(self.sql.encode()).hexdigest()

    def __str__(self) -> str:
        return f"{self.version:04}_{self.name}"


@frozen
class Applied:
    """A step that a database has taken."""

    version: int
    name: str
    checksum: str
    applied_at: datetime

    def __str__(self) -> str:
        return f"{self.version:04}_{self.name}"


@frozen
class Status:
    """How far a database has come."""

    applied: tuple[Applied, ...]
    pending: tuple[Migration, ...]

    @property
    def version(self) -> int:
        """Return the number of the last step taken, 0 for an empty database."""
        return self.applied[-1].version if self.applied else 0


def shipped(folder: Path = FOLDER) -> tuple[Migration, ...]:
    """Return the steps that this program knows, in order."""
    steps = []
    for path in sorted(folder.glob("[0-9][0-9][0-9][0-9]_*.sql")):
        version, _, name = path.stem.partition("_")
        steps.append(Migration(int(version), name, path.read_text(encoding="utf-8")))
    return tuple(steps)


async def lock(transaction: Runner) -> None:
    """Wait until no other process changes the schema, or decides on a first start, and keep others from it."""
    await transaction.run(LOCK)


async def status(runner: Runner, steps: tuple[Migration, ...] | None = None) -> Status:
    """Return which steps were taken and which are still to take, in one statement.

    :raise SchemaMismatch: the database is newer than this program, or was made by other files.
    """
    try:
        rows = await runner.run(APPLIED)
    except QueryFailed as failure:
        if failure.sqlstate != UNDEFINED_TABLE:
            raise
        rows = []
    return compare(tuple(Applied(**row) for row in rows), shipped() if steps is None else steps)


def compare(applied: tuple[Applied, ...], steps: tuple[Migration, ...]) -> Status:
    """Return how far a database that has taken these steps has come.

    :raise SchemaMismatch: the database is newer than this program, or was made by other files.
    """
    known: Mapping[int, Migration] = {step.version: step for step in steps}
    newest = max(known, default=0)
    for taken in applied:
        step = known.get(taken.version)
        if step is None:
            raise SchemaMismatch(
                Text(
                    "The database has migration {step}, and this program knows none beyond {newest:04}: "
                    "install the newer flexid that made it",
                    step=taken,
                    newest=newest,
                )
            )
        if step.checksum != taken.checksum:
            raise SchemaMismatch(
                Text(
                    "The database has another migration {step} than this program: "
                    "install the flexid that made it, and do not change a migration once it was applied",
                    step=taken,
                )
            )
    done = {taken.version for taken in applied}
    return Status(applied, tuple(step for step in steps if step.version not in done))


def refuse_unknown(rows: Iterable[Mapping[str, str]]) -> None:
    """Refuse what a table of migrations, read from a backup, says of steps that this program does not know.

    :raise SchemaMismatch: the backup is of a newer program, or was made by other files.
    """
    taken = [
        Applied(int(row["version"]), row["name"], row["checksum"], datetime.fromisoformat(row["applied_at"]))
        for row in rows
    ]
    compare(tuple(taken), shipped())


async def apply(
    database: Database,
    afterwards: Callable[[Runner], Awaitable[object]],
    steps: tuple[Migration, ...] | None = None,
) -> tuple[Migration, ...]:
    """Take the steps that are still to take, each in a transaction, and return them.

    `afterwards` fills in what a new schema needs, in the transaction of the last step. Of several processes that come
    at once one does the work, and the others find it done.

    :raise SchemaMismatch: the database is newer than this program, was made by other files, or lacks extensions.
    """
    steps = shipped() if steps is None else steps
    taken: list[Migration] = []
    todo = (await status(database, steps)).pending
    while todo:
        async with database.transaction(LONGEST_STEP) as transaction:
            await lock(transaction)
            await transaction.run(CREATE)
            todo = (await status(transaction, steps)).pending
            if todo:
                step, *rest = todo
                await _take(transaction, step)
                taken.append(step)
                todo = tuple(rest)
                if not todo:
                    await afterwards(transaction)
    return tuple(taken)


async def _take(transaction: Runner, step: Migration) -> None:
    try:
        await transaction.run(Query(f"migration {step}", step.sql, prepare=False))
    except ConstraintViolated as violation:
        if violation.constraint != EXTENSIONS_MISSING:
            raise
        raise SchemaMismatch(
            Text(
                "The database needs the extensions pg_trgm and btree_gin: install PostgreSQL's contrib modules if they "
                "are missing, and let a superuser say in this database: "
                "CREATE EXTENSION pg_trgm; CREATE EXTENSION btree_gin"
            )
        ) from None
    await transaction.run(RECORD, version=step.version, name=step.name, checksum=step.checksum)
