"""`flexid accounts clear-unconfirmed`, `accounts clear-tombstones` and `statistics clear`."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Awaitable, Callable

from flexid.commands.command import Command, Outcome, Program, days
from flexid.commands.progress import bar


def add_days(parser: ArgumentParser, which: str) -> None:
    """Declare DAYS and --apply."""
    parser.add_argument("days", metavar="DAYS", type=days, help=f"{which} that are older go")
    parser.add_argument("--apply", action="store_true", help="delete them; without it they are only counted")


async def counted_or_cleared(what: str, found: int, clear: Callable[[], Awaitable[int]], *, apply: bool) -> Outcome:
    """Tell how many there are, or delete them batch by batch; `what` they are called."""
    if not apply:
        return Outcome(f"{found} {what} would be deleted, by --apply", {"found": found, "cleared": 0})
    draw, cleared = bar(found, "deleted"), 0
    while batch := await clear():
        cleared += batch
        draw(cleared)
    return Outcome(f"Deleted {cleared} {what}", {"found": cleared, "cleared": cleared})


def _accounts(parser: ArgumentParser) -> None:
    add_days(parser, "accounts")
    parser.add_argument("--and-confirmed", action="store_true", help="those too that were confirmed, but no admins")


async def _clear_unconfirmed(program: Program, options: Namespace) -> Outcome:
    which = {"confirmed": options.and_confirmed}
    async with program.services() as services:
        clearance = services.housekeeping.clearance
        return await counted_or_cleared(
            "accounts" if options.and_confirmed else "unconfirmed accounts",
            await clearance.count_accounts(options.days, **which),
            lambda: clearance.clear_accounts(options.days, **which),
            apply=options.apply,
        )


def _tombstones(parser: ArgumentParser) -> None:
    add_days(parser, "tombstones")


async def _clear_tombstones(program: Program, options: Namespace) -> Outcome:
    async with program.services() as services:
        clearance = services.housekeeping.clearance
        return await counted_or_cleared(
            "tombstones",
            await clearance.count_tombstones(options.days),
            lambda: clearance.clear_tombstones(options.days),
            apply=options.apply,
        )


def _statistics(parser: ArgumentParser) -> None:
    add_days(parser, "calls and messages")


async def _clear_statistics(program: Program, options: Namespace) -> Outcome:
    async with program.services() as services:
        clearance = services.housekeeping.clearance
        return await counted_or_cleared(
            "calls and messages",
            await clearance.count_statistics(options.days),
            lambda: clearance.clear_statistics(options.days),
            apply=options.apply,
        )


CLEAR_UNCONFIRMED = Command(_clear_unconfirmed, _accounts)
CLEAR_TOMBSTONES = Command(_clear_tombstones, _tombstones)
CLEAR_STATISTICS = Command(_clear_statistics, _statistics)
