"""`flexid accounts import` and `flexid accounts export`."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from flexid.base.text import Text
from flexid.commands.command import Command, Outcome, Problem, Program
from flexid.commands.progress import bar
from flexid.domain.account import Origin
from flexid.domain.account_imports import Format, ImportRefused, ImportReport
from flexid.domain.account_search import AccountSearchWish
from flexid.domain.errors import Invalid
from flexid.domain.space import Space
from flexid.services.catalogue import Services

MADE_BY = "flexid"
LINE_END = "\n"


def _arguments_of_import(parser: ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", type=Path, help="CSV, or JSON lines if its name ends in .jsonl")
    parser.add_argument("--domain", required=True, help="the domain of the Space that the accounts go to")
    parser.add_argument("--dry-run", action="store_true", help="check the file, and write nothing")


async def _import(program: Program, options: Namespace) -> Outcome:
    try:
        file = options.file.open("rb")
    except OSError as error:
        raise Problem(f"{options.file}: {error.strerror}") from None
    with file:
        size = os.fstat(file.fileno()).st_size
        form: Format = "jsonl" if options.file.suffix == ".jsonl" else "csv"
        async with program.services() as services:
            space = await _space(services, options.domain)
            try:
                report = await services.account_imports.take(
                    space,
                    file.fileno(),
                    size,
                    form,
                    Origin("", MADE_BY),
                    made_by=MADE_BY,
                    dry_run=options.dry_run,
                    heard=bar(size, "checked"),
                )
            except ImportRefused as refusal:
                raise _named(refusal) from None
    return Outcome(_told(report), _shown(report))


def _arguments_of_export(parser: ArgumentParser) -> None:
    parser.add_argument("--domain", help="the domain of the Space whose accounts are written, else the first Space's")
    parser.add_argument("--format", choices=("csv", "jsonl"), default="csv", help="csv, which an import understands")
    parser.add_argument("--output", metavar="FILE", type=Path, help="where to, standard output if nothing is said")


async def _export(program: Program, options: Namespace) -> Outcome:
    if options.json and not options.output:
        raise Problem("--json needs --output, since the accounts would stand on standard output")
    async with program.services() as services:
        space = await _space(services, options.domain)
        pieces = services.account_exports.pieces(space.domain, AccountSearchWish(), options.format)
        if options.output is None:
            return Outcome(await _print(pieces), None)
        size = 0
        try:
            with options.output.open("wb") as target:
                async for piece in pieces:
                    size += target.write(piece)
        except OSError as error:
            raise Problem(f"{options.output}: {error.strerror}") from None
    return Outcome(f"Wrote {options.output}", {"bytes": size})


async def _print(pieces: AsyncIterator[bytes]) -> str:
    """Write all but the end of the last line, which comes with the outcome."""
    rest = ""
    async for piece in pieces:
        sys.stdout.write(rest + piece.decode().removesuffix(LINE_END))
        rest = LINE_END
    return ""


async def _space(services: Services, domain: str | None) -> Space:
    if domain is None:
        if every := await services.spaces.every():
            return every[0]
        raise Problem("there is no Space yet")
    known = await services.directory.by_domain(domain.lower())
    if known is None:
        raise Problem(f"no Space has the domain {domain}")
    return known.space


def _named(refusal: ImportRefused) -> Invalid:
    """Return the refusal in the words of a command line."""
    errors: dict[str, Any] = {}
    for problem in refusal.report.problems:
        line = f"line {problem.line}" if problem.line else None
        place = " ".join(filter(None, (line, problem.column)))
        errors.setdefault(place or "file", []).append(problem.reason)
    if refusal.report.more:
        errors["and"] = [Text("{count} more problems", count=refusal.report.more)]
    return Invalid(errors)


def _told(report: ImportReport) -> str:
    done = "Created" if report.imported else "Nothing is wrong with the file: it would create"
    return f"{done} {report.accounts} accounts, {report.external_accounts} of them with an external account"


def _shown(report: ImportReport) -> dict[str, object]:
    counts = ("accounts", "admins", "active", "external_accounts", "imported")
    return {name: getattr(report, name) for name in counts}


IMPORT = Command(_import, _arguments_of_import)
EXPORT = Command(_export, _arguments_of_export)
