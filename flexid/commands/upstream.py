"""`flexid import-upstream`."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator
from pathlib import Path

from attrs import asdict

from flexid.commands.command import Command, Outcome, Problem, Program, confirm
from flexid.commands.progress import bar
from flexid.services.upstream import Finding, Moved, Report, Wish

SURE = "This moves a whole database of Flexisip Account Manager into that of flexid. Go on?"


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "url", metavar="URL", help="mysql://user:password@host/database (MariaDB as well), or postgresql://…"
    )
    parser.add_argument("--dry-run", action="store_true", help="do everything, tell of it, and take it back")
    parser.add_argument("--files", metavar="DIR", type=Path, help="the folder below which its uploaded files lie")
    parser.add_argument("--realm", help="what passwords were hashed with, before 2.1; without it each Space's domain")
    parser.add_argument(
        "--algorithm", choices=("MD5", "SHA-256"), default="SHA-256", help="of new passwords, before 2.1"
    )
    parser.add_argument("--yes", action="store_true", help="move without asking")


def _ask(options: Namespace) -> None:
    if not options.dry_run and not options.yes and not confirm(SURE):
        raise Problem("nothing was moved")
    options.yes = True


async def _move(program: Program, options: Namespace) -> Outcome:
    if not options.dry_run and not options.yes:
        raise Problem("this changes the whole database: say --yes where nobody can be asked, or --dry-run")
    if options.files is not None and not options.files.is_dir():
        raise Problem(f"{options.files} is no folder")
    wish = Wish(options.url, options.dry_run, options.realm, options.algorithm, options.files)
    async with program.services() as services:
        moved = await services.upstream.move(wish, _bars())
    return Outcome("\n".join(_told(moved)), _shown(moved), failed=moved.report.refused)


def _bars() -> Callable[[str, int, int], None]:
    drawing: dict[str, Callable[[int], None]] = {}

    def heard(doing: str, done: int, total: int) -> None:
        draw = drawing.get(doing) or drawing.setdefault(doing, bar(total, doing))
        draw(done)

    return heard


def _told(moved: Moved) -> Iterator[str]:
    report = moved.report
    yield f"Flexisip Account Manager {report.version}"
    if report.lines:
        yield f"{'table':44} {'there':>10} {'left out':>10} {'here':>10}"
    for line in report.lines:
        if line.complete and not line.there:
            continue
        verdict = "" if line.complete else "  NOT COMPLETE"
        yield f"{line.table:44} {line.there:>10} {line.left_out:>10} {line.here:>10}{verdict}"
    yield from map(_finding, report.findings)
    for table, rows in report.unknown.items():
        yield f"not moved, since nobody knows the table: {table} ({rows} rows)"
    if report.absent:
        yield f"this version has no {', '.join(report.absent)}"
    if moved.copied:
        yield f"Copied {moved.copied.count} files"
        yield from (f"not there, or of another size: the file {file_id}" for file_id in moved.copied.missing)
    elif report.uploads:
        yield f"{report.uploads} uploaded files lie on its disk: --files DIR copies them"
    yield _verdict(report)


def _verdict(report: Report) -> str:
    if report.refused:
        return "Nothing was moved: what is refused has to be settled first"
    if not report.complete:
        return "Not all would arrive as it should"
    told = "every count and every hash of a password is the same"
    return f"Moved; {told}" if report.moved else f"Nothing is in the way, and nothing was moved; {told}"


def _finding(finding: Finding) -> str:
    named = ", ".join(finding.ids)
    more = f" and {finding.count - len(finding.ids)} more" if finding.count > len(finding.ids) else ""
    return f"{finding.fate}: {finding.table} {named}{more}: {finding.reason}"


def _shown(moved: Moved) -> dict[str, object]:
    report = moved.report
    return {
        "version": report.version,
        "moved": report.moved,
        "complete": report.complete,
        "hashes_match": report.hashes_match,
        "tables": [asdict(line) for line in report.lines],
        "findings": [asdict(finding) for finding in report.findings],
        "unknown_tables": dict(report.unknown),
        "absent_tables": list(report.absent),
        "files": asdict(moved.copied) if moved.copied else None,
    }


MOVE = Command(_move, _arguments, _ask)
