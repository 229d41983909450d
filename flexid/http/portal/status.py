"""How everything is: processes, database, timers, and whatever flexid needs beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from attrs import evolve

from flexid.base.text import Text
from flexid.domain.conditions import Condition, ProcessReport
from flexid.http.answers import Answer
from flexid.http.call import Call
from flexid.http.pages import page
from flexid.http.routes import SUPER_ADMIN, Routes

routes = Routes("/admin/status", title="Status", portal=True)

REFRESH_SECONDS = 10
MB = 1 << 20
NAMES: Mapping[str, Text] = {
    "Redis": Text("Redis of Flexisip"),
    "SIP daemon": Text("SIP daemon"),
    "pusher": Text("Push notifications"),
    "mail server": Text("Mail"),
    "SMS provider": Text("SMS"),
}
STATES: Mapping[str, tuple[str, Text]] = {
    "well": ("on", Text("Well")),
    "away": ("stop", Text("Away")),
    "held": ("wait", Text("Held by another program")),
    "unused": ("off", Text("Not set up")),
}
"""The colour of the lamp, and its word."""


@routes.get(caller=SUPER_ADMIN)
async def show(call: Call[Any]) -> Answer:
    """Show how everything is, and again every ten seconds unless `still` is asked for."""
    services = call.services
    processes = await services.processes.every()
    conditions = services.conditions.latest or await services.conditions.look()
    lengths = await services.queue_lengths.count()
    is_still = call.query("still") is not None
    shown = page(
        call,
        "admin_status/page.html",
        server=await services.processes.server(),
        is_external=call.settings.database.is_external(),
        schema=await services.schema.status(),
        processes=processes,
        leader=next((process for process in processes if process.report["leading"]), None),
        timers=_timers(processes),
        conditions=[_condition(name, condition) for name, condition in conditions.items()],
        outbox=_outbox(lengths.outbox),
        lengths=lengths,
        certificate_ends=_certificate_end(processes),
        now=services.clock.now(),
        mb=MB,
        is_still=is_still,
        seconds=REFRESH_SECONDS,
    )
    return shown if is_still else evolve(shown, headers={**shown.headers, "Refresh": str(REFRESH_SECONDS)})


def _timers(processes: Sequence[ProcessReport]) -> list[dict[str, Any]]:
    """Return the timers of whoever runs them."""
    timers = [timer for process in processes if process.report["leading"] for timer in process.report["timers"]]
    return sorted(
        ({**timer, "ran_at": datetime.fromisoformat(timer["ran_at"])} for timer in timers),
        key=lambda timer: (not timer["failures"], str(timer["name"])),
    )


def _condition(name: str, condition: Condition) -> dict[str, object]:
    lamp, word = STATES[condition.state]
    return {"name": NAMES[name], "lamp": lamp, "word": word, "says": condition.says, "since": condition.since}


def _outbox(lengths: Mapping[tuple[str, str], int]) -> list[tuple[str, int, int]]:
    channels = dict.fromkeys(channel for channel, _ in lengths)
    return [(channel, lengths.get((channel, "waiting"), 0), lengths.get((channel, "dead"), 0)) for channel in channels]


def _certificate_end(processes: Sequence[ProcessReport]) -> datetime | None:
    """Return when the first certificate of all nodes ends."""
    ends = [end for process in processes if (end := process.report["certificate_ends"]) is not None]
    return datetime.fromtimestamp(min(ends), UTC) if ends else None
