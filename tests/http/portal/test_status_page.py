"""Super administrators see how everything is."""

from __future__ import annotations

import os
from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from support.application import Application
from twisted.internet import reactor
from twisted.internet.task import Clock

from flexid.seeing.families import Process
from flexid.seeing.reporting import Reporting
from flexid.timers import Job, Timers


async def reported(app: Application, *timers: Timers) -> Reporting:
    site: Any = app.browser.site
    process = Process(site, app.services, timers, None, lambda: 1_900_000_000.0)
    reporting = Reporting(reactor, process, 2, 3)
    await reporting.report()
    return reporting


async def led() -> Timers:
    clock = Clock()

    async def sweep() -> int:
        raise RuntimeError("a bug")

    async def ours() -> bool:
        return True

    timers = Timers(clock, ours, (Job("sweep the floor", 60, sweep),))
    timers.start()
    clock.pump([1.0, 1.0])
    return timers


@ensureDeferred
async def test_processes_timers_and_queues_are_shown(app: Application) -> None:
    reporting = await reported(app, await led())
    app.sql("INSERT INTO outbox (channel, payload) SELECT 'sms', '{}' FROM generate_series(1, 1234)")
    boss = await app.boss("localhost")
    html = (await boss.open("/admin/status")).text
    for shown in (f":{os.getpid()}", "Worker 2 of 3", "runs the timers", "sweep the floor", "1,234", "embedded"):
        assert shown in html, shown
    assert "17 Mar 2030" in html  # the end of the certificate
    assert "Tâches périodiques" in (await boss.open("/admin/status", Accept_Language="fr")).text
    await reporting.stop()
    assert "No process has said anything yet" in (await boss.open("/admin/status")).text


@ensureDeferred
async def test_a_process_that_says_nothing_any_more_is_gone(app: Application) -> None:
    await reported(app)
    app.sql("UPDATE processes SET seen_at = now() - interval '2 minutes'")
    assert await app.services.processes.every() == []
    assert await app.services.housekeeping.clear_process_reports() == 0
    app.sql("UPDATE processes SET seen_at = now() - interval '2 hours'")
    assert await app.services.housekeeping.clear_process_reports() == 1


@ensureDeferred
async def test_the_page_renews_itself_unless_it_is_to_stay(app: Application) -> None:
    boss = await app.boss("localhost")
    assert (await boss.open("/admin/status")).headers["Refresh"] == "10"
    assert "Refresh" not in (await boss.open("/admin/status?still")).headers


@pytest.mark.parametrize("settings", [{"daemon": {"socket": "/run/none"}, "pusher": {"path": "/no/such/pusher"}}])
@ensureDeferred
async def test_what_is_away_is_named_with_its_reason_and_does_not_hurt_readiness(app: Application) -> None:
    assert (await app.nobody.get("/health/ready")).json == {"status": "ready"}
    app.sql("INSERT INTO outbox (channel, payload, attempts, last_error) VALUES ('mail', '{}', 3, '421 try later')")
    app.sql("INSERT INTO message_daemons (socket, state, error) VALUES ('/run/none', 'busy', 'another')")
    await app.services.conditions.look()
    reply = await app.nobody.get("/health/ready")
    assert reply.status == 200
    assert reply.json["away"] == {
        "SIP daemon": "no process of flexid has its socket",
        "pusher": "/no/such/pusher cannot be run",
        "mail server": "1 wait, the last one because: 421 try later",
    }
    boss = await app.boss("localhost")
    html = (await boss.open("/admin/status")).text
    assert "421 try later" in html
    assert html.count("Away") == 3
    assert html.count("Not set up") == 1


@ensureDeferred
async def test_since_when_something_is_away_stays_the_same(app: Application) -> None:
    first = (await app.services.conditions.look())["Redis"].since
    app.ahead.seconds += 60
    assert (await app.services.conditions.look())["Redis"].since == first
