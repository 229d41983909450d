"""`flexid spaces expiration-emails`."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from flexid.commands.command import Command, Outcome, Program
from flexid.commands.command import days as days_of

DAYS = "7,3,1"


def _days(text: str) -> tuple[int, ...]:
    return tuple(days_of(each.strip()) for each in text.split(","))


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "days",
        metavar="DAYS",
        nargs="?",
        type=_days,
        default=_days(DAYS),
        help=f"how many days before, separated by commas; {DAYS} if absent",
    )


async def _tell(program: Program, options: Namespace) -> Outcome:
    async with program.services() as services:
        told = await services.expirations.tell(options.days)
    text = f"Wrote {told.mails} mails about {told.spaces} Spaces, which the server delivers"
    return Outcome(text, {"spaces": told.spaces, "written": told.mails})


TELL = Command(_tell, _arguments)
