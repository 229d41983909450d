"""`flexid config …`."""

from __future__ import annotations

import json
import re
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from twisted.internet.endpoints import serverFromString

from flexid.base.configuration import Key, keys
from flexid.commands.command import Command, Outcome, Problem, Program
from flexid.commands.commands_page import commands_page
from flexid.commands.configuration_page import page

SECRET_NAME = re.compile(r"(secret|password|keysmap|consumer_key|application_key)$")
PASSWORD_OF_URL = re.compile(r"(?<=://)([^/@\s:]*):[^/@\s]*(?=@)|(?<=[?&\s]password=)[^&\s]+|^password=\S+")
MASK = "***"


async def _check(program: Program, _: Namespace) -> Outcome:
    configuration = program.configuration
    listen = configuration.settings.listen
    for name, endpoints in (("http", listen.http), ("https", listen.https)):
        for endpoint in endpoints:
            try:
                serverFromString(program.reactor, endpoint)
            except (ValueError, TypeError, KeyError) as error:
                raise Problem(f"listen.{name} = {endpoint!r}: no endpoint of Twisted's, {error}") from None
    if listen.https:
        from flexid.service import check_certificates  # noqa: PLC0415  # most commands do without the server

        check_certificates(configuration.settings)
    lines = [f"The configuration is right ({configuration.source})", *configuration.warnings]
    return Outcome("\n".join(lines), {"source": configuration.source, "warnings": configuration.warnings})


async def _show(program: Program, _: Namespace) -> Outcome:
    settings = program.configuration.settings
    values = {key: _masked(key, _value(settings, key)) for key in keys()}
    tables: dict[str, Any] = {}
    lines = [f"# {program.configuration.source}"]
    for key, value in values.items():
        table = tables
        if key.section:
            if key.section not in tables:
                lines += ["", f"[{key.section}]"]
            table = tables.setdefault(key.section, {})
        table[key.name] = value
        lines.append(f"# {key.name} is not set" if value is None else f"{key.name} = {_toml(value)}")
    return Outcome("\n".join(lines), tables)


def _page(parser: ArgumentParser) -> None:
    parser.add_argument("--commands", action="store_true", help="describe the commands instead")


async def _docs(_: Program, options: Namespace) -> Outcome:
    text = commands_page() if options.commands else page()
    return Outcome(text.rstrip("\n"), {"markdown": text})


def _value(settings: Any, key: Key) -> Any:
    return getattr(getattr(settings, key.section) if key.section else settings, key.name)


def _masked(key: Key, value: Any) -> Any:
    match value:
        case str() if value and SECRET_NAME.search(key.name):
            return MASK
        case str():
            return PASSWORD_OF_URL.sub(lambda found: f"{found[1]}:{MASK}" if found[1] is not None else MASK, value)
        case Path():
            return str(value)
        case tuple():
            return [_masked(key, item) for item in value]
    return value


def _toml(value: Any) -> str:
    # JSON's texts, numbers, booleans and lists are TOML's.
    return json.dumps(value, ensure_ascii=False)


CHECK = Command(_check)
SHOW = Command(_show)
DOCS = Command(_docs, _page)
