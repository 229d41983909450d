"""`flexid accounts clear-files` and `send-voicemail-emails`."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from flexid.commands.command import Command, Outcome, Program, days
from flexid.services.housekeeping import until_nothing_is_left


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("days", metavar="DAYS", type=days, help="files that are older go")
    parser.add_argument("--apply", action="store_true", help="delete them; without it they are only counted")


async def _clear(program: Program, options: Namespace) -> Outcome:
    async with program.services() as services:
        files = services.files
        if not options.apply:
            found = await files.count_older(options.days)
            return Outcome(f"{found} files would be deleted, by --apply", {"found": found, "cleared": 0})
        cleared = await until_nothing_is_left(lambda: files.delete_older(options.days))
        await until_nothing_is_left(files.remove_deleted)
    return Outcome(f"Deleted {cleared} files", {"found": cleared, "cleared": cleared})


async def _send_mails(program: Program, _: Namespace) -> Outcome:
    async with program.services() as services:
        written = await until_nothing_is_left(services.uploads.tell_of_untold)
    return Outcome(f"Wrote {written} mails, which the server delivers", {"written": written})


CLEAR_FILES = Command(_clear, _arguments)
SEND_MAILS = Command(_send_mails)
