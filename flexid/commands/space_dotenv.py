"""`flexid spaces import-dotenv`: what a `.env` says of one Space."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import asdict, fields

from flexid.commands.command import Command, Outcome, Problem, Program, confirm
from flexid.commands.dotenv import read_dotenv
from flexid.domain import dotenv
from flexid.domain.mail_server import MailServer
from flexid.domain.space import Space
from flexid.services.catalogue import Services

FLAGS = frozenset(field.name for field in fields(Space) if str(field.type) == "bool") - {"super", "unique_email"}
TEXTS = frozenset(
    {
        "account_proxy_registrar_address",
        "copyright_text",
        "intro_registration_text",
        "newsletter_registration_address",
    }
)
NUMBERS = frozenset({"max_account", "max_accounts", "theme_hue"})
PORT = "25"
NOTHING = "null"


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("domain", metavar="SIP_DOMAIN", type=str.lower, help="the SIP domain of the Space")
    parser.add_argument("file", metavar="FILE", type=Path, help="the .env of a Flexisip Account Manager")
    parser.add_argument("--yes", action="store_true", help="set it without asking")


def settings(env: Mapping[str, str]) -> tuple[dict[str, Any], MailServer | None, list[str]]:
    """Return fields of a Space, its mail server, and the keys that are neither.

    A field goes by its own name in capital letters.

    :raise Problem: a value is none for its field.
    """
    values: dict[str, Any] = {}
    for key, value in env.items():
        name = key.lower()
        if name in FLAGS:
            values[name] = dotenv.flag(value)
        elif name in TEXTS:
            values[name] = value or None
        elif name in NUMBERS:
            values[name] = int(value) if value.isascii() and value.isdecimal() else None
        if name in FLAGS | NUMBERS and values[name] is None:
            raise Problem(f"{key}={value}: {'true or false' if name in FLAGS else 'a number'} is allowed")
    unused = [key for key in sorted(env) if key.lower() not in values and not key.startswith("MAIL_")]
    return values, _mail_server(env), unused


def _mail_server(env: Mapping[str, str]) -> MailServer | None:
    given = {key: value for key, value in env.items() if value and value != NOTHING}
    if "MAIL_HOST" not in given:
        return None
    port = given.get("MAIL_PORT", PORT)
    if not port.isascii() or not port.isdecimal():
        raise Problem(f"MAIL_PORT={port}: a number is allowed")
    names = {"username": "MAIL_USERNAME", "password": "MAIL_PASSWORD", "from_address": "MAIL_FROM_ADDRESS"}
    further = {name: given.get(key) for name, key in {**names, "from_name": "MAIL_FROM_NAME"}.items()}
    return MailServer(host=given["MAIL_HOST"], port=int(port), signature=None, **further)


async def _import(program: Program, options: Namespace) -> Outcome:
    values, server, unused = settings(read_dotenv(options.file))
    async with program.services() as services:
        space = await services.spaces.show(options.domain)
        changes = {name: value for name, value in values.items() if getattr(space, name) != value}
        lines = [f"{name}: {getattr(space, name)!r} becomes {value!r}" for name, value in changes.items()]
        if server:
            lines.append(f"email_server: becomes {server.host}:{server.port}, from {server.from_address}")
        if unused:
            lines.append(f"not of a Space, or unknown here: {', '.join(unused)}")
        _refuse_without_consent(lines, options, is_change=bool(changes or server))
        await _set(services, options.domain, changes, server)
    shown = {name: value for name, value in asdict(server).items() if name != "password"} if server else None
    data = {"domain": options.domain, "changed": changes, "email_server": shown, "unused": unused}
    return Outcome("\n".join([*lines, f"Set for the Space {options.domain}"]), data)


def _refuse_without_consent(lines: list[str], options: Namespace, *, is_change: bool) -> None:
    if not is_change:
        raise Problem("nothing in the file would change the Space")
    if options.yes:
        return
    if not options.on_terminal:
        raise Problem("\n".join([*lines, "nothing was changed: say --yes where nobody can be asked"]))
    if not confirm("\n".join([*lines, "Set this?"])):
        raise Problem("nothing was changed")


async def _set(services: Services, domain: str, changes: dict[str, Any], server: MailServer | None) -> None:
    if changes:
        await services.spaces.change(domain, changes)
    if server:
        await services.integrations.set_mail_server(domain, server)


def _ask(options: Namespace) -> None:
    # What is asked for is known once the Space has been read.
    options.on_terminal = True


def _declared(parser: ArgumentParser) -> None:
    _arguments(parser)
    parser.set_defaults(on_terminal=False)


IMPORT = Command(_import, _declared, _ask)
