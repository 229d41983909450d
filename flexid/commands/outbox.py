"""`flexid outbox …`."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from datetime import datetime
from typing import get_args

from flexid.commands.command import Command, Outcome, Problem, Program
from flexid.domain.errors import Forbidden, NotFound
from flexid.domain.outbox import Channel, Entry, State

MOST = 10_000


def _of_list(parser: ArgumentParser) -> None:
    parser.add_argument("--state", choices=get_args(State), help="only what is in this state; `dead` was given up")
    parser.add_argument("--channel", choices=get_args(Channel), help="only what goes this way")
    parser.add_argument("--limit", metavar="N", type=int, default=50, help="at most so many, the latest (50)")


def _of_retry(parser: ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", nargs="?", type=int, help="what `outbox list` calls it")
    parser.add_argument("--dead", action="store_true", help="all that was given up")
    parser.add_argument("--channel", choices=get_args(Channel), help="with --dead: only what goes this way")


async def _list(program: Program, options: Namespace) -> Outcome:
    async with program.services() as services:
        most = min(max(options.limit, 1), MOST)
        entries = await services.outbox_keeping.entries(options.state, options.channel, most)
    data = [_said(entry) for entry in entries]
    return Outcome("\n".join(map(_line, entries)) or "There is nothing", data)


async def _retry(program: Program, options: Namespace) -> Outcome:
    if (options.id is None) != options.dead:
        raise Problem("give either an ID or --dead")
    async with program.services() as services:
        if options.dead:
            count = await services.outbox_keeping.retry_dead(options.channel)
            return Outcome(f"{count} are delivered once more", {"retried": count})
        try:
            await services.outbox_keeping.retry(options.id)
        except NotFound:
            raise Problem(f"there is nothing with the ID {options.id} in the outbox") from None
        except Forbidden as refused:
            raise Problem(f"{options.id} cannot be delivered once more: {refused}") from None
    return Outcome(f"{options.id} is delivered once more", {"retried": 1})


def _line(entry: Entry) -> str:
    said = [f"{entry.id:>8}", f"{entry.created_at:%Y-%m-%d %H:%M:%S}", f"{entry.channel:<9}", f"{entry.state:<7}"]
    said += [f"{entry.attempts:>3}", entry.domain or "-", entry.about]
    if entry.last_error:
        said.append(f"({entry.last_error})")
    return "  ".join(said).rstrip()


def _said(entry: Entry) -> dict[str, object]:
    return {
        "id": entry.id,
        "channel": entry.channel,
        "domain": entry.domain,
        "about": entry.about,
        "state": entry.state,
        "attempts": entry.attempts,
        "last_error": entry.last_error,
        "created_at": _moment(entry.created_at),
        "next_attempt_at": _moment(entry.next_attempt_at),
        "sent_at": _moment(entry.sent_at),
    }


def _moment(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


LIST = Command(_list, _of_list)
RETRY = Command(_retry, _of_retry)
