"""`flexid COMMAND`: reads the command line, runs one command, prints what it says."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import NoReturn

from flexid.commands.table import BY_NAME, RUN, TABLE, Entry

FAILED, MISUSED, INTERRUPTED = 1, 2, 130
"""Exit codes."""


def main() -> NoReturn:
    """Do what the command line says, and exit."""
    run(sys.argv[1:])


def run(arguments: Sequence[str]) -> NoReturn:
    """Do what these arguments say, and exit: 0, or 1 if it could not be done, or 2 if it cannot be understood."""
    entry, options = parse(arguments)
    if entry is RUN:
        # Commands do without the server's modules.
        from flexid.commands.daemon import run_in_foreground  # noqa: PLC0415

        run_in_foreground(options.config)
    from flexid.commands.running import perform  # noqa: PLC0415

    perform(entry, options)


def parse(arguments: Sequence[str], default: Entry | None = None) -> tuple[Entry, Namespace]:
    """Return the command that is meant, `default` where none is, and its options.

    Exits on --help, and on what is no command.
    """
    leading = ArgumentParser(prog="flexid", add_help=False, allow_abbrev=False)
    _add_config(leading)
    leading.add_argument("-h", "--help", action="store_true")
    leading.add_argument("--version", action="store_true")
    at = _first_word(arguments)
    given = leading.parse_args(arguments[:at])
    words = arguments[at:]
    if given.version:
        _leave(f"flexid {version('flexid')}")
    if given.help:
        _leave(overview())
    if not words and default:
        return default, given
    for count in (1, 2):
        if entry := BY_NAME.get(" ".join(words[:count])):
            options = parser(entry).parse_args(words[count:])
            options.config = options.config or given.config
            return entry, options
    return _refuse(words)


def parser(entry: Entry) -> ArgumentParser:
    """Return what reads the options of a command."""
    parser = ArgumentParser(prog=f"flexid {entry.name}", description=entry.summary, allow_abbrev=False)
    if entry.aliases:
        parser.epilog = f"also known as: {', '.join(entry.aliases)}"
    if entry is not RUN:
        entry.load().arguments(parser)
        parser.add_argument("--json", action="store_true", help="print JSON and nothing else")
    _add_config(parser)
    return parser


def overview(group: str | None = None) -> str:
    """Return the list of commands."""
    entries = [entry for entry in TABLE if group in {None, entry.group}]
    width = max(len(entry.name) for entry in entries)
    lines = [f"  {entry.name:{width}}  {entry.summary}" for entry in entries]
    return "\n".join(
        [
            f"usage: flexid [--config FILE] {group or 'COMMAND'} …",
            "",
            *lines,
            "",
            "flexid COMMAND --help tells what may follow a command; --json makes it print JSON.",
        ]
    )


def _first_word(arguments: Sequence[str]) -> int:
    at = 0
    while at < len(arguments) and arguments[at].startswith("-"):
        at += 2 if arguments[at] == "--config" else 1
    return at


def _add_config(parser: ArgumentParser) -> None:
    parser.add_argument("--config", metavar="FILE", type=Path, help="the configuration file")


def _refuse(words: Sequence[str]) -> NoReturn:
    groups = {entry.group for entry in TABLE}
    if words and words[0] in groups:
        if any(word in {"-h", "--help"} for word in words[1:]):
            _leave(overview(words[0]))
        if len(words) == 1:
            sys.stderr.write(overview(words[0]) + "\n")
            sys.exit(MISUSED)
    what = f"no such command: {' '.join(words[:2])}" if words else "a command is missing"
    sys.stderr.write(f"flexid: {what} (see flexid --help)\n")
    sys.exit(MISUSED)


def _leave(text: str) -> NoReturn:
    print_out(text)
    sys.exit(0)


def print_out(text: str) -> None:
    """Write to standard output, where perhaps nobody reads any more."""
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
