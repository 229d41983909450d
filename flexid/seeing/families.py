"""Metrics of one process: made of what it counts anyway, when somebody asks."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version
from itertools import accumulate
from typing import Any, Literal

from attrs import frozen

from flexid.base.metrics import BOUNDS
from flexid.http.request import FlexidSite
from flexid.services.catalogue import Services
from flexid.services.message_queue import MessageQueue
from flexid.timers import Repeated, Timers

Kind = Literal["counter", "gauge", "histogram"]
Sample = tuple[str, dict[str, str], float]
"""What is put behind the family's name, the labels, and the value."""
NO_ROUTE = ("", "none")


@frozen
class Family:
    """Samples of one thing."""

    name: str
    kind: Kind
    says: str
    samples: list[Sample]


@frozen
class Process:
    """What counts in this process."""

    site: FlexidSite
    services: Services
    timers: tuple[Timers | Repeated, ...]
    queue: MessageQueue | None
    certificate_ends: Any
    """Returns when the certificate of TLS ends, in seconds since 1970; None where there is no TLS."""


def of(process: Process) -> Iterator[Family]:
    """Yield all metrics of a process."""
    yield _single("flexid_build_info", "The release that runs.", 1, version=version("flexid"), python=_python())
    yield _requests(process.site)
    yield from _database(process.services)
    yield from _caches(process.services)
    yield from _outside(process)
    yield from _timers([timers for timers in process.timers if isinstance(timers, Timers)])
    if process.queue:
        yield from _bridge(process.queue)
    if (ends := process.certificate_ends()) is not None:
        yield _single("flexid_tls_certificate_ends_timestamp_seconds", "When the TLS certificate ends.", ends)


def _requests(site: FlexidSite) -> Family:
    samples: list[Sample] = []
    for (route, status), counts in list(site.requests.items()):
        method, _, path = route.partition(" ") if " /" in route else ("", "", "none")
        labels = {"method": method, "route": path, "status": str(status)}
        *buckets, seconds = counts
        for bound, count in zip((*BOUNDS, "+Inf"), accumulate(buckets), strict=True):
            samples.append(("_bucket", {**labels, "le": str(bound)}, count))
        samples += [("_count", labels, sum(buckets)), ("_sum", labels, seconds)]
    says = "Time from the whole request to the begin of its answer, by route and status."
    return Family("flexid_request_seconds", "histogram", says, samples)


def _database(services: Services) -> Iterator[Family]:
    database = services.database
    idle = database.size - database.busy
    yield Family(
        "flexid_pool_connections",
        "gauge",
        "Open connections to PostgreSQL.",
        [("", {"state": "busy"}, database.busy), ("", {"state": "idle"}, idle)],
    )
    yield _single("flexid_pool_waiting", "Callers that wait for a connection.", database.waiting)
    yield _single("flexid_database_listening", "Whether changes of other processes are heard.", database.listening)
    totals = list(database.statements.items())
    for name, place, says in (
        ("flexid_statements", 0, "Statements that were run, by name."),
        ("flexid_statements_seconds", 1, "Time that statements took, by name."),
        ("flexid_statements_failed", 2, "Statements that failed, by name."),
    ):
        yield _counter(name, says, "statement", {statement: counts[place] for statement, counts in totals})


def _caches(services: Services) -> Iterator[Family]:
    caches = {
        "spaces": services.directory.by_host_cache,
        "spaces by domain": services.directory.by_domain_cache,
        "API keys": services.api_keys.cache,
    }
    yield _gauge("flexid_cache_entries", "What is kept in memory.", "cache", _each(caches, len))
    for name, place, says in (
        ("flexid_cache_hits", "hits", "What was answered from memory."),
        ("flexid_cache_misses", "misses", "What had to be asked for."),
    ):
        yield _counter(name, says, "cache", {cache: getattr(kept, place) for cache, kept in caches.items()})


def _outside(process: Process) -> Iterator[Family]:
    services = process.services
    delivered = services.deliveries.outcomes + services.notices.outcomes + services.webhook_deliveries.outcomes
    says = "Deliveries from the outbox, by channel and outcome."
    yield _by_outcome("flexid_deliveries", says, "channel", delivered)
    called: Counter[tuple[str, str]] = Counter()
    for file in (services.provisioning.hooks.file, services.account_hooks.file):
        called.update(file.outcomes if file else {})
    yield _by_outcome("flexid_hooks", "Calls of operators' own functions, by outcome.", "hook", called)
    checks: Mapping[str, int] = services.person_check.outcomes
    yield _counter("flexid_captchas", "Answers to captchas that were checked, by outcome.", "outcome", checks)
    pushes: Mapping[str, int] = services.push_tokens.outcomes
    yield _counter("flexid_pushes", "Push notifications, by outcome.", "outcome", pushes)
    sign_ins: Mapping[str, int] = services.oidc_sign_in.outcomes
    yield _counter("flexid_openid_sign_ins", "Sign-ins at OpenID servers, by outcome.", "outcome", sign_ins)


def _timers(every: list[Timers]) -> Iterator[Family]:
    yield _single(
        "flexid_timers_leading",
        "Whether this process runs the timers of the cluster.",
        any(timers.leading for timers in every),
    )
    for name, kind, what, says in (
        ("flexid_timer_runs", "counter", "runs", "Runs of timers."),
        ("flexid_timer_failures", "counter", "failures", "Runs that failed."),
        ("flexid_timer_found", "counter", "cleared", "What timers found to do."),
        ("flexid_timer_seconds", "counter", "total_seconds", "Time that runs took."),
        ("flexid_timer_last_run_timestamp_seconds", "gauge", "ran_at", "When a timer last ran."),
        ("flexid_timer_last_run_seconds", "gauge", "seconds", "How long its last run took."),
    ):
        values: dict[str, float] = {}
        for timers in every:
            values |= getattr(timers.outcomes, what)
        yield (_counter if kind == "counter" else _gauge)(name, says, "timer", values)


def _bridge(queue: MessageQueue) -> Iterator[Family]:
    bridge = queue.bridge
    yield _single("flexid_bridge_owner", "Whether this process owns the socket of linphone-daemon.", queue.owning)
    states = dict.fromkeys(("connected", "connecting", "busy", "away"), 0.0)
    if queue.owning:
        states[bridge.report.state] = 1.0
    says = "How linphone-daemon is, as its owner sees it; busy: another client holds it."
    yield _gauge("flexid_bridge_state", says, "state", states)
    yield _single("flexid_bridge_under_way", "SIP messages whose end is not known yet.", bridge.expecting)
    for name, value, what in (
        ("flexid_bridge_connections", bridge.connections, "Connections to linphone-daemon."),
        ("flexid_bridge_received", bridge.received, "SIP messages that others have sent to us."),
    ):
        yield Family(name, "counter", what, [("_total", {}, value)])
    yield _counter("flexid_messages", "SIP messages, by what became of them.", "outcome", queue.outcomes)


def _each(kept: Mapping[str, Any], what: Any) -> dict[str, float]:
    return {name: what(value) for name, value in kept.items()}


def _single(name: str, says: str, value: float, **labels: str) -> Family:
    return Family(name, "gauge", says, [("", labels, float(value))])


def _gauge(name: str, says: str, label: str, values: Mapping[str, float]) -> Family:
    return Family(name, "gauge", says, [("", {label: key}, value) for key, value in sorted(values.items())])


def _counter(name: str, says: str, label: str, values: Mapping[str, float]) -> Family:
    return Family(name, "counter", says, [("_total", {label: key}, value) for key, value in sorted(values.items())])


def _by_outcome(name: str, says: str, label: str, counts: Mapping[tuple[str, str], int]) -> Family:
    samples: list[Sample] = [
        ("_total", {label: key, "outcome": outcome}, count) for (key, outcome), count in sorted(counts.items())
    ]
    return Family(name, "counter", says, samples)


def _python() -> str:
    return platform.python_version()


def with_labels(families: Iterable[Family], **labels: str) -> list[Family]:
    """Return the families with further labels on each sample."""
    return [
        Family(
            each.name, each.kind, each.says, [(suffix, {**own, **labels}, value) for suffix, own, value in each.samples]
        )
        for each in families
    ]
