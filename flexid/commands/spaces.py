"""`flexid spaces …`."""

from __future__ import annotations

from argparse import ArgumentParser, BooleanOptionalAction, Namespace
from typing import Any

from flexid.commands.command import Command, Outcome, Program
from flexid.domain.errors import NotFound
from flexid.domain.space import Space
from flexid.services.spaces import Spaces


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("domain", metavar="SIP_DOMAIN", type=str.lower, help="the SIP domain of its accounts")
    parser.add_argument("host", metavar="HOST", type=str.lower, help="the host under which it is served")
    parser.add_argument("name", metavar="NAME", nargs="?", help="its name; that of a new Space is its domain")
    parser.add_argument(
        "--super",
        dest="is_super",
        action=BooleanOptionalAction,
        help="whether its administrators manage every Space; an existing Space stays what it is without either",
    )


async def _create_or_update(program: Program, options: Namespace) -> Outcome:
    given: dict[str, Any] = {"host": options.host}
    if options.name is not None:
        given["name"] = options.name
    if options.is_super is not None:
        given["super"] = options.is_super
    async with program.services() as services:
        created, space = await _write(services.spaces, options.domain, given)
    what = "Created" if created else "Updated"
    kind = "super Space" if space.super else "Space"
    data = {"domain": space.domain, "host": space.host, "name": space.name, "super": space.super, "created": created}
    return Outcome(f"{what} the {kind} {space.domain}, named {space.name}, on the host {space.host}", data)


async def _write(spaces: Spaces, domain: str, given: dict[str, Any]) -> tuple[bool, Space]:
    try:
        return False, await spaces.change(domain, given)
    except NotFound:
        return True, await spaces.create({"domain": domain, "name": domain, **given})


CREATE_UPDATE = Command(_create_or_update, _arguments)
