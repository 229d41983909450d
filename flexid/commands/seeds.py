"""`flexid accounts seed`."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from flexid.commands.command import Command, Outcome, Problem, Program
from flexid.services import seed_files


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE.json", type=Path, help="accounts and ranges, as docs/operating.md says")


async def _seed(program: Program, options: Namespace) -> Outcome:
    try:
        entries = seed_files.read(options.file.read_bytes())
    except OSError as error:
        raise Problem(f"{options.file}: {error.strerror}") from None
    async with program.services() as services:
        seeded = await services.seeding.seed(entries)
    new = f", and the Spaces {', '.join(seeded.spaces)}" if seeded.spaces else ""
    return Outcome(f"Wrote {seeded.accounts} accounts{new}", {"accounts": seeded.accounts, "spaces": seeded.spaces})


SEED = Command(_seed, _arguments)
