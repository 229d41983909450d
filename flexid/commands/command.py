"""What a command is."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any

from attrs import frozen

from flexid.base.clock import Clock
from flexid.base.configuration import Configuration

if TYPE_CHECKING:
    from flexid.services.catalogue import Services
    from flexid.services.opening import Opened


class Problem(Exception):  # noqa: N818  # it is told to a person, and need not be an error
    """Why a command could not do what it was asked for: one sentence."""


@frozen
class Outcome:
    """What a command has to say: to people, and to programs; `failed` makes its exit code 1."""

    text: str
    data: object
    failed: bool = False


@frozen
class Program:
    """What a command works with."""

    reactor: Any
    configuration: Configuration
    clock: Clock

    def services(self) -> AbstractAsyncContextManager[Services]:
        """Open the database for the use cases."""
        # Not all commands want the database.
        from flexid.services.opening import opened  # noqa: PLC0415

        return opened(self.reactor, self.configuration.settings, self.clock)

    def database(self) -> AbstractAsyncContextManager[Opened]:
        """Open the database as it is, whatever its schema."""
        from flexid.services.opening import connected  # noqa: PLC0415

        return connected(self.reactor, self.configuration.settings, self.clock)


def _nothing(_: Any) -> None:
    """Neither arguments nor questions."""


@frozen
class Command:
    """Something that an operator types; `arguments` declares what may follow it, `ask` asks for what is missing.

    `ask` is called on a terminal only, before anything else happens.
    """

    run: Callable[[Program, Namespace], Coroutine[Any, Any, Outcome]]
    arguments: Callable[[ArgumentParser], None] = _nothing
    ask: Callable[[Namespace], None] = _nothing


def confirm(question: str) -> bool:
    """Ask on the terminal."""
    return (answer(f"{question} [y/N] ") or "").lower() in {"y", "yes"}


def answer(question: str) -> str | None:
    """Ask on the terminal, leaving standard output to the result; None where nothing is typed.

    :raise EOFError: the terminal was closed.
    """
    sys.stderr.write(question)
    sys.stderr.flush()
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    return line.strip() or None


def minutes(text: str) -> int:
    """Read a number of minutes."""
    return _number(text, "minutes", 2**31 - 1)


def days(text: str) -> int:
    """Read a number of days."""
    return _number(text, "days", 100 * 366)


def _number(text: str, of: str, most: int) -> int:
    try:
        value = int(text)
    except ValueError:
        value = -1
    if not 0 <= value <= most:
        raise ArgumentTypeError(f"{text!r} is no number of {of}")
    return value
