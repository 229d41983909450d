"""What was acknowledged survives the sudden end of any of our processes."""

from __future__ import annotations

import time

import pytest
from real.creations import Creation, Creations, creating
from support.flexid_process import Caller, Flexid, wait_until

pytestmark = pytest.mark.real

ENOUGH = 20
"""Creations under way before something is killed."""
LONGEST_ANSWER = 5.0
WELL_AGAIN = 2.0
KILLS = 2


def test_killed_flexid_has_lost_no_acknowledged_account(flexid: Flexid, admin: Caller) -> None:
    with creating(admin, f"before-{time.monotonic_ns()}") as creations:
        _wait_for(creations, ENOUGH, after=0.0)
        flexid.kill()
    flexid.start()

    assert {creation.status for creation in creations.done} == {200, None}
    assert creations.missing() == set()
    assert (
        admin.post("/api/accounts", {"username": f"after-{time.monotonic_ns()}", "password": "the_password"}).status
        == 200
    )


def test_killed_postgresql_costs_no_acknowledged_account_and_no_client_waits_long(
    flexid: Flexid, admin: Caller
) -> None:
    outages: list[tuple[float, float]] = []
    with creating(admin, f"meanwhile-{time.monotonic_ns()}") as creations:
        for _ in range(KILLS):
            _wait_for(creations, ENOUGH, after=time.monotonic())
            outages.append(_kill_postgresql(flexid))
            _wait_for(creations, 1, after=outages[-1][1] + WELL_AGAIN)

    assert creations.missing() == set()
    assert {creation.status for creation in creations.done} == {200, 503}
    assert all(creation.retry_after for creation in creations.done if creation.status == 503)
    assert max(creation.ended - creation.began for creation in creations.done) < LONGEST_ANSWER
    assert [
        creation for creation in creations.done if not creation.acknowledged and not _excused(creation, outages)
    ] == []


def _wait_for(creations: Creations, number: int, *, after: float) -> None:
    wait_until(lambda: len(creations.acknowledged_after(after)) >= number, lambda: "no account is created any more")


def _kill_postgresql(flexid: Flexid) -> tuple[float, float]:
    """Return when it was killed, and when the next one took connections."""
    killed = flexid.postmaster()
    assert killed
    moment = time.monotonic()
    killed.kill()
    wait_until(
        lambda: (now := flexid.postmaster()) is not None and now.pid != killed.pid, lambda: "PostgreSQL stays away"
    )
    return moment, time.monotonic()


def _excused(creation: Creation, outages: list[tuple[float, float]]) -> bool:
    """Whether PostgreSQL was away during the request, or had been until a moment before."""
    return any(creation.ended >= killed and creation.began <= back + WELL_AGAIN for killed, back in outages)
