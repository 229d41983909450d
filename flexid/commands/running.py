"""Runs a command in the reactor, and turns what comes of it into words and an exit code."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from typing import Any, NoReturn

import orjson
from twisted.internet.defer import CancelledError, Deferred, ensureDeferred
from twisted.internet.task import react
from twisted.logger import globalLogBeginner

from flexid.base.clock import Clock
from flexid.base.configuration import Configuration, ConfigurationError, load
from flexid.commands.command import Command, Outcome, Problem, Program
from flexid.commands.main import FAILED, INTERRUPTED, print_out
from flexid.commands.table import Entry
from flexid.domain.acting import Doer, acts
from flexid.domain.errors import DomainError, Invalid


def perform(entry: Entry, options: Namespace) -> NoReturn:
    """Run a command, print its outcome or its problems, and exit."""
    command = entry.load()
    try:
        configuration = load(os.environ, options.config)
        if sys.stdin.isatty() and sys.stderr.isatty():
            command.ask(options)
    except (ConfigurationError, Problem) as error:
        _fail(_reasons(error))
    except (EOFError, KeyboardInterrupt):
        sys.stderr.write("\n")
        sys.exit(INTERRUPTED)
    globalLogBeginner.beginLoggingTo([], redirectStandardIO=False, discardBuffer=True)
    react(_run, (entry.name, command, configuration, options))


async def _run(reactor: Any, name: str, command: Command, configuration: Configuration, options: Namespace) -> None:
    acts(lambda: Doer(f"flexid {name}", "command"))
    work = ensureDeferred(command.run(Program(reactor, configuration, Clock()), options))
    reactor.addSystemEventTrigger("before", "shutdown", _interrupt, work)
    try:
        outcome = await work
    except CancelledError:
        sys.exit(INTERRUPTED)
    except Exception as error:  # noqa: BLE001  # whatever it is, one line is more use here than a traceback
        _fail(_reasons(error))
    print_out(orjson.dumps(outcome.data).decode() if options.json else outcome.text)
    if outcome.failed:
        sys.exit(FAILED)


def _interrupt(work: Deferred[Outcome]) -> Deferred[None]:
    """Cancel what still runs, and wait until it has closed what it opened."""
    ended: Deferred[None] = Deferred()

    def end(result: object) -> object:
        ended.callback(None)
        return result

    work.addBoth(end)
    work.cancel()
    return ended


def _reasons(error: Exception) -> list[str]:
    match error:
        case Invalid():
            return [f"{field}: {reason}" for field, reasons in error.errors.items() for reason in reasons]
        case ConfigurationError():
            return error.problems
        case DomainError() | Problem():
            return [str(error)]
    return [f"{type(error).__name__}: {error}".replace("\n", " ")]


def _fail(reasons: list[str]) -> NoReturn:
    for reason in reasons:
        sys.stderr.write(f"flexid: {reason}\n")
    sys.exit(FAILED)
