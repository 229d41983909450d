"""`flexid accounts create-admin` and `set-admin`."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from getpass import getpass
from ipaddress import ip_address

from attrs import asdict

from flexid.commands.command import Command, Outcome, Problem, Program, answer
from flexid.domain.errors import Conflict
from flexid.services.administrators import DEFAULT_USERNAME, Wanted

LARGEST_ID = 999_999_999_999_999_999
"""Eighteen digits: PostgreSQL holds no more than nineteen."""


def _ip(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no IP address") from None


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("-u", "--username", help=f"its username; without it {DEFAULT_USERNAME}")
    parser.add_argument("-p", "--password", help="its password; without it a random one, which is printed")
    parser.add_argument("-d", "--domain", help="the SIP domain of its Space; without it the first Space's")
    parser.add_argument("-k", "--key-ip", metavar="IP", type=_ip, help="the one address from which the API key works")
    parser.add_argument("--overwrite", action="store_true", help="make an existing account of that name one")


def _ask(options: Namespace) -> None:
    if options.username is None:
        options.username = answer(f"Username [{DEFAULT_USERNAME}]: ")
    if options.domain is None:
        options.domain = answer("SIP domain [the first Space's]: ")
    if options.password is None:
        # The prompt goes to the terminal itself: standard output is for the result.
        options.password = getpass("Password [a random one]: ") or None


async def _create(program: Program, options: Namespace) -> Outcome:
    wanted = Wanted(options.username or DEFAULT_USERNAME, options.domain, options.password, options.key_ip)
    async with program.services() as services:
        try:
            made = await services.administrators.create(wanted, overwrite=options.overwrite)
        except Conflict as conflict:
            raise Problem(f"{conflict} (see --overwrite)") from None
    lines = [f"{name}: {value}" for name, value in asdict(made).items() if value is not None]
    return Outcome("\n".join(lines).replace("api_key:", "API key:"), asdict(made))


def _id(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > len(str(LARGEST_ID)):
        raise ArgumentTypeError(f"{text!r} is no id")
    return int(text)


def _account(parser: ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", type=_id, help="the id of the account")


async def _set_admin(program: Program, options: Namespace) -> Outcome:
    async with program.services() as services:
        await services.administrators.promote(options.id)
    return Outcome(f"The account {options.id} is an administrator now", {"id": options.id, "admin": True})


CREATE_ADMIN = Command(_create, _arguments, _ask)
SET_ADMIN = Command(_set_admin, _account)
