"""`flexid db …`."""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace
from pathlib import Path

from flexid.commands.command import Command, Outcome, Problem, Program, confirm
from flexid.services.backups import Backups
from flexid.services.opening import Opened


def _backups(program: Program, found: Opened) -> Backups:
    services = found.services
    return Backups(program.reactor, services.database, services.schema, found.dsn, os.environ)


async def _migrate(program: Program, _: Namespace) -> Outcome:
    async with program.database() as found:
        applied = await found.services.schema.migrate()
    return Outcome("\n".join(f"Applied {name}" for name in applied) or "Nothing to do", {"applied": applied})


async def _status(program: Program, _: Namespace) -> Outcome:
    async with program.database() as found:
        status = await found.services.schema.status()
        version = await _backups(program, found).server_version()
    data = {
        "server": "external" if program.configuration.settings.database.is_external() else "embedded",
        "postgresql": f"{version // 10_000}.{version % 10_000}",
        "schema": status.version,
        "applied": [
            {"version": step.version, "name": step.name, "applied_at": step.applied_at} for step in status.applied
        ],
        "pending": [str(step) for step in status.pending],
    }
    lines = [f"PostgreSQL {data['postgresql']}, {data['server']}"]
    lines += [f"{step} applied at {step.applied_at:%Y-%m-%d %H:%M:%S} UTC" for step in status.applied]
    lines += [f"{step} is not applied" for step in status.pending]
    return Outcome("\n".join(lines), data)


def _file(parser: ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", type=Path, help="the backup, in pg_dump's custom format")


async def _backup(program: Program, options: Namespace) -> Outcome:
    async with program.database() as found:
        size = await _backups(program, found).write(options.file)
    return Outcome(f"Wrote {options.file}, {size} bytes", {"file": str(options.file), "size": size})


def _restoring(parser: ArgumentParser) -> None:
    _file(parser)
    parser.add_argument("--yes", action="store_true", help="replace everything without asking")


def _ask(options: Namespace) -> None:
    if not options.yes and not confirm("This replaces everything in the database. Go on?"):
        raise Problem("nothing was changed")
    options.yes = True


async def _restore(program: Program, options: Namespace) -> Outcome:
    if not options.yes:
        raise Problem("this replaces everything in the database: say --yes where nobody can be asked")
    async with program.database() as found:
        applied = await _backups(program, found).restore(options.file)
    text = f"Restored {options.file}; restart flexid if it runs"
    return Outcome(text, {"file": str(options.file), "applied": applied})


MIGRATE = Command(_migrate)
STATUS = Command(_status)
BACKUP = Command(_backup, _file)
RESTORE = Command(_restore, _restoring, _ask)
