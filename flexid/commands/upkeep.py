"""`flexid api-keys …`, `nonces …` and `phone-countries …`."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from flexid.commands.command import Command, Outcome, Program, minutes
from flexid.services.housekeeping import until_nothing_is_left


def _optional_minutes(parser: ArgumentParser) -> None:
    parser.add_argument(
        "minutes",
        metavar="MINUTES",
        nargs="?",
        type=minutes,
        help="users' keys unused for so long go; without it by their own lifetime, as those of admins",
    )


def _minutes(parser: ArgumentParser) -> None:
    parser.add_argument("minutes", metavar="MINUTES", type=minutes, help="nonces unused for so long go")


async def _clear_api_keys(program: Program, options: Namespace) -> Outcome:
    async with program.services() as services:
        housekeeping = services.housekeeping
        cleared = await until_nothing_is_left(lambda: housekeeping.clear_api_keys(options.minutes))
    return Outcome(f"Deleted {cleared} API keys", {"cleared": cleared})


async def _clear_nonces(program: Program, options: Namespace) -> Outcome:
    async with program.services() as services:
        housekeeping = services.housekeeping
        cleared = await until_nothing_is_left(lambda: housekeeping.clear_nonces(options.minutes))
    return Outcome(f"Forgot {cleared} nonces", {"cleared": cleared})


async def _update_phone_countries(program: Program, _: Namespace) -> Outcome:
    async with program.services() as services:
        changed = await services.phone_countries.update()
    return Outcome(f"{changed} countries are new or changed", {"changed": changed})


CLEAR_API_KEYS = Command(_clear_api_keys, _optional_minutes)
CLEAR_NONCES = Command(_clear_nonces, _minutes)
UPDATE_PHONE_COUNTRIES = Command(_update_phone_countries)
