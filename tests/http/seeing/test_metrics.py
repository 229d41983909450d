"""What Prometheus reads."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from attrs import define
from prometheus_client.parser import text_string_to_metric_families
from pytest_twisted import ensureDeferred
from support.application import Application
from twisted.internet import reactor
from twisted.internet.task import Clock

from flexid.base.metrics import BOUNDS, Durations, Totals
from flexid.base.settings import Settings
from flexid.seeing import families
from flexid.seeing.families import Family, Process
from flexid.seeing.gathering import Neighbours
from flexid.seeing.listener import MetricsListener, of_process, rendered
from flexid.timers import Job, Timers

EXAMPLE = Path(__file__).parents[3] / "examples" / "hooks.py"


@define
class Metrics:
    """Samples by name and labels."""

    samples: dict[tuple[str, frozenset[tuple[str, str]]], float]

    def __call__(self, name: str, **labels: str) -> float | None:
        """Return a value; labels that are not given may be anything, if there is one sample only."""
        found = [
            value
            for (sample, has), value in self.samples.items()
            if sample == name and frozenset(labels.items()) <= has
        ]
        assert len(found) < 2, f"{name} {labels}: {len(found)} samples"
        return found[0] if found else None

    @classmethod
    def read(cls, text: bytes) -> Metrics:
        parsed = text_string_to_metric_families(text.decode())
        return cls({(s.name, frozenset(s.labels.items())): s.value for family in parsed for s in family.samples})


def process_of(app: Application, *timers: Timers) -> Process:
    site: Any = app.browser.site
    return Process(site, app.services, timers, None, lambda: 1_900_000_000.0)


def own(app: Application, *timers: Timers) -> Any:
    return lambda: [*families.of(process_of(app, *timers)), *of_process()]


async def told(app: Application, *timers: Timers) -> Metrics:
    neighbours = Neighbours(reactor, os.getpid(), 1, 1, own(app, *timers))
    return Metrics.read(await MetricsListener(reactor, (), neighbours, app.services.queue_lengths).text())


@ensureDeferred
async def test_requests_are_counted_by_route_and_status(app: Application) -> None:
    alice = await app.has_account("alice")
    for _ in range(3):
        await app.admin.get(f"/api/accounts/{alice['id']}")
    await app.admin.get("/api/accounts/999999")
    await app.nobody.get("/no/such/page?with=a-secret")
    metrics = await told(app)
    route = {"method": "GET", "route": "/api/accounts/{account_id}"}
    assert metrics("flexid_request_seconds_count", status="200", **route) == 3
    assert metrics("flexid_request_seconds_bucket", status="200", le="+Inf", **route) == 3
    assert metrics("flexid_request_seconds_count", status="404", **route) == 1
    assert metrics("flexid_request_seconds_count", route="none") == 1
    total = metrics("flexid_request_seconds_sum", status="200", **route)
    assert total is not None
    assert 0 < total < 10


@ensureDeferred
async def test_statements_the_pool_and_caches_are_counted(app: Application) -> None:
    await app.has_account("alice")
    for _ in range(2):
        await app.admin.get("/api/accounts?page=1")
    assert (await app.admin.post("/api/accounts", {"username": "alice", "password": "a_password"})).status == 422
    metrics = await told(app)
    assert metrics("flexid_statements_total", statement="page of accounts") == 2
    assert metrics("flexid_statements_failed_total", statement="page of accounts") == 0
    assert metrics("flexid_pool_connections", state="busy") == 0
    assert metrics("flexid_pool_connections", state="idle") == app.database.size
    assert metrics("flexid_pool_waiting") == 0
    assert metrics("flexid_database_listening") == 1
    assert (metrics("flexid_cache_hits_total", cache="API keys") or 0) >= 2
    assert metrics("flexid_build_info") == 1
    assert metrics("flexid_tls_certificate_ends_timestamp_seconds") == 1_900_000_000
    assert (metrics("process_resident_memory_bytes") or 0) > 10_000_000


@ensureDeferred
async def test_what_goes_out_is_counted_by_channel_and_outcome(app: Application) -> None:
    services = app.services
    services.deliveries.outcomes["mail", "delivered"] += 3
    services.notices.outcomes["registrar", "failed"] += 2
    services.webhook_deliveries.outcomes["webhook", "dead"] += 1
    services.person_check.outcomes["passed"] += 4
    metrics = await told(app)
    assert metrics("flexid_deliveries_total", channel="mail", outcome="delivered") == 3
    assert metrics("flexid_deliveries_total", channel="registrar", outcome="failed") == 2
    assert metrics("flexid_deliveries_total", channel="webhook", outcome="dead") == 1
    assert metrics("flexid_captchas_total", outcome="passed") == 4


@pytest.mark.parametrize("settings", [{"hooks": {"provisioning": EXAMPLE}}])
@ensureDeferred
async def test_calls_of_operators_functions_are_counted(app: Application) -> None:
    assert (await app.nobody.get("/provisioning", x_linphone_provisioning="1")).status == 200
    metrics = await told(app)
    assert metrics("flexid_hooks_total", hook="additional_sections", outcome="done") == 1


@ensureDeferred
async def test_queues_are_counted_in_the_database(app: Application) -> None:
    for state, count in (("waiting", 3), ("dead", 2), ("sent", 5)):
        app.sql(
            "INSERT INTO outbox (channel, state, payload, created_at)"
            " SELECT 'sms', %s, '{}', now() - interval '1 minute' FROM generate_series(1, %s)",
            state,
            count,
        )
    metrics = await told(app)
    assert metrics("flexid_outbox_items", channel="sms", state="waiting") == 3
    assert metrics("flexid_outbox_items", channel="sms", state="dead") == 2
    assert metrics("flexid_outbox_items", channel="mail", state="waiting") == 0
    assert 60 <= (metrics("flexid_outbox_oldest_seconds") or 0) < 120
    assert metrics("flexid_messages_waiting", state="queued") == 0
    assert metrics("flexid_database_up") == 1


@ensureDeferred
async def test_a_queue_is_counted_up_to_a_bound_and_not_at_every_look(app: Application, asked: list[str]) -> None:
    app.sql(
        "INSERT INTO outbox (channel, payload) SELECT 'mail', '{}' FROM generate_series(1, %s)",
        10_100,
    )
    assert (await told(app))("flexid_outbox_items", channel="mail", state="waiting") == 10_000
    asked.clear()
    await told(app)
    assert asked == []


@ensureDeferred
async def test_timers_tell_how_they_ran_and_who_leads(app: Application) -> None:
    clock, work = Clock(), [5, 0, None]

    async def clear() -> int:
        found = work.pop(0)
        if found is None:
            raise RuntimeError("a bug")
        return found

    async def ours() -> bool:
        return True

    timers = Timers(clock, ours, (Job("sweep", 60, clear),))
    assert (await told(app, timers))("flexid_timers_leading") == 0
    timers.start()
    clock.pump([1.0] * 62)
    metrics = await told(app, timers)
    assert metrics("flexid_timers_leading") == 1
    assert metrics("flexid_timer_runs_total", timer="sweep") == 2
    assert metrics("flexid_timer_failures_total", timer="sweep") == 1
    assert metrics("flexid_timer_found_total", timer="sweep") == 5
    assert metrics("flexid_timer_last_run_timestamp_seconds", timer="sweep") == 61


def test_durations_fall_into_buckets() -> None:
    durations: Durations[str] = Durations()
    for seconds in (0.0005, BOUNDS[0], 0.3, 99.0):
        durations.add("x", seconds)
    counts = durations["x"]
    assert (counts[0], counts[BOUNDS.index(0.5)], counts[len(BOUNDS)]) == (2, 1, 1)
    assert sum(counts[:-1]) == 4
    assert counts[-1] == pytest.approx(99.3015)
    totals: Totals[str] = Totals()
    totals.add("x", 1.0)
    totals.add("x", 2.0, failed=True)
    assert totals["x"] == [2.0, 3.0, 1.0]


@ensureDeferred
async def test_whichever_process_is_asked_tells_of_all() -> None:
    def counting(value: float) -> Any:
        return lambda: [Family("flexid_things", "counter", "Things.", [("_total", {"kind": "a b"}, value)])]

    node = os.getpid()
    workers = [Neighbours(reactor, node, number, 3, counting(number)) for number in (1, 2)]
    for worker in workers:
        worker.open()
    metrics = Metrics.read(rendered(await workers[1].gather()))
    assert [metrics("flexid_things_total", worker=str(number), kind="a b") for number in (1, 2, 3)] == [1, 2, None]
    assert [metrics("flexid_worker_up", worker=str(number)) for number in (1, 2, 3)] == [1, 1, 0]
    for worker in workers:
        await worker.close()


@pytest_twisted.async_yield_fixture
async def listener(app: Application) -> Any:
    neighbours = Neighbours(reactor, os.getpid(), 1, 1, own(app))
    endpoints = Settings(listen={"metrics": ["tcp:0:interface=127.0.0.1"]}).listen.metrics
    listener = MetricsListener(reactor, endpoints, neighbours, app.services.queue_lengths)
    await listener.open()
    yield listener
    await listener.close()


@ensureDeferred
async def test_metrics_are_served_on_a_port_of_their_own(app: Application, listener: MetricsListener) -> None:
    import treq  # noqa: PLC0415  # a client for this test only

    (address,) = listener.addresses()
    answer = await treq.get(f"http://{address}/metrics", persistent=False)
    assert answer.headers.getRawHeaders("content-type")[0].startswith("text/plain; version=")
    assert b"flexid_build_info" in await answer.content()
    assert (await treq.get(f"http://{address}/", persistent=False)).code == 404
    assert (await app.nobody.get("/metrics")).status == 404


@ensureDeferred
async def test_without_the_database_the_rest_is_told_all_the_same(app: Application) -> None:
    await app.database.stop()
    metrics = await told(app)
    assert metrics("flexid_database_up") == 0
    assert metrics("flexid_pool_connections", state="idle") == 0


def test_every_metric_is_documented() -> None:
    root = Path(__file__).parent.parent.parent.parent
    page = (root / "docs" / "operating.md").read_text(encoding="utf-8")
    code = "".join(path.read_text(encoding="utf-8") for path in (root / "flexid" / "seeing").glob("*.py"))
    names = set(re.findall(r'"(flexid_[a-z_]+)"', code))
    assert len(names) > 20
    assert [name for name in sorted(names) if name not in page] == []
