"""`python -m bench --messages`: SIP messages by linphone-daemon, many at once, and of the kind that would crash it."""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from random import Random

from attrs import frozen
from real.answering_machine import AnsweringMachine
from real.linphone import Linphone
from real.nasty import is_sendable, pairs, sent_as
from real.routing import routed_to
from support.flexid_process import Caller, running

MESSAGES, CLIENTS = 1_000, 20
PAIRS = 10_000
UNAVAILABLE = 503
"""Where the daemon cannot keep up: says nothing of the message."""
SETTLING = 10.0
"""Seconds for the last answers."""


@frozen
class Stage:
    """A flexid that sends by a daemon to a machine."""

    admin: Caller
    daemon: Linphone
    machine: AnsweringMachine


def measure(file: Path) -> None:
    """Measure, print, and write JSON."""
    figures: dict[str, object] = {}
    with _staged() as stage:
        figures["paced"] = _paced(stage)
        _say(f"paced: {figures['paced']}")
        figures["nasty"] = _nasty(stage)
        _say(f"nasty: {figures['nasty']}")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(figures, indent=2) + "\n")


@contextmanager
def _staged() -> Iterator[Stage]:
    machine = AnsweringMachine()
    with tempfile.TemporaryDirectory() as home:
        daemon = Linphone(Path(home))
        try:
            daemon.start(routed_to(machine, "localhost"))
            with running(daemon_socket=daemon.socket) as flexid:
                yield Stage(flexid.create_admin("bench"), daemon, machine)
        finally:
            daemon.remove()
            machine.stop()


def _paced(stage: Stage) -> dict[str, object]:
    each = MESSAGES // CLIENTS
    waits: list[float] = []
    sent: list[str] = []

    def client(number: int) -> None:
        for text in range(each):
            began = time.monotonic()
            answer = stage.admin.post("/api/messages", {"to": f"c{number}@localhost", "body": f"{text}"})
            waits.append(time.monotonic() - began)
            if answer.status == 200:
                sent.append(answer.json["id"])

    began = time.monotonic()
    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(client, range(CLIENTS)))
    seconds = time.monotonic() - began
    in_order = sum(
        stage.machine.texts(f"c{number}@localhost") == [f"{n}" for n in range(each)] for number in range(CLIENTS)
    )
    deadline = time.monotonic() + SETTLING
    while (states := _states(stage, sent)) != {"delivered": len(sent)} and time.monotonic() < deadline:
        time.sleep(0.5)
    return {
        "messages": MESSAGES,
        "sent": len(sent),
        "seconds": round(seconds, 1),
        "per_second": round(MESSAGES / seconds, 1),
        "received": len(stage.machine.received()),
        "recipients_in_order": in_order,
        "repeated_datagrams": stage.machine.repeated(),
        "states": states,
        "wait_p50_ms": round(statistics.median(waits) * 1000),
        "wait_max_ms": round(max(waits) * 1000),
    }


def _states(stage: Stage, sent: list[str]) -> dict[str, int]:
    return dict(Counter(stage.admin.get(f"/api/messages/{message}").json["state"] for message in sent))


def _nasty(stage: Stage) -> dict[str, object]:
    before = len(stage.machine.received())

    def post(pair: tuple[object, object]) -> int:
        return stage.admin.post("/api/messages", {"to": pair[0], "body": pair[1]}).status

    began = time.monotonic()
    asked = list(pairs(Random(time.time()), PAIRS))  # noqa: S311  # others at each run
    with ThreadPoolExecutor(CLIENTS) as pool:
        statuses = list(pool.map(post, asked))
    seconds = time.monotonic() - began
    time.sleep(SETTLING / 2)
    answered = list(zip(asked, statuses, strict=True))
    wanted = Counter(sent_as(*pair) for pair, status in answered if status == 200)
    arrived = Counter((message.to, message.text) for message in stage.machine.received()[before:])
    return {
        "pairs": PAIRS,
        "seconds": round(seconds, 1),
        "statuses": dict(Counter(statuses)),
        "wrongly_judged": sum(_is_wrong(pair, status) for pair, status in answered),
        "missing": (wanted - arrived).total(),
        "not_asked_for": (arrived - wanted).total(),
        "daemon_lives": stage.daemon.is_running(),
    }


def _is_wrong(pair: tuple[object, object], status: int) -> bool:
    return status != UNAVAILABLE and (status == 200) != is_sendable(*pair)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
