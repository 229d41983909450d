"""`flexid accounts clear-files` and `send-voicemail-emails`."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from flexid.commands.clearance import add_days, counted_or_cleared
from flexid.commands.command import Command, Outcome, Program
from flexid.services.housekeeping import until_nothing_is_left


def _arguments(parser: ArgumentParser) -> None:
    add_days(parser, "files")


async def _clear(program: Program, options: Namespace) -> Outcome:
    async with program.services() as services:
        files = services.files
        found = await files.count_older(options.days)
        outcome = await counted_or_cleared(
            "files", found, lambda: files.delete_older(options.days), apply=options.apply
        )
        if options.apply:
            await until_nothing_is_left(files.remove_deleted)
    return outcome


async def _send_mails(program: Program, _: Namespace) -> Outcome:
    async with program.services() as services:
        written = await until_nothing_is_left(services.uploads.tell_of_untold)
    return Outcome(f"Wrote {written} mails, which the server delivers", {"written": written})


CLEAR_FILES = Command(_clear, _arguments)
SEND_MAILS = Command(_send_mails)
