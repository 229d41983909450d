"""One browser and one flexid for all that is tried by clicking."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from browser.chromium import PROGRAM, Chromium, started
from browser.doors import Doors
from browser.town import DEVICES, Town, settle
from support import redis_server
from support.flexid_process import running


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chromium]:
    """A browser in a process of its own."""
    if PROGRAM is None:
        _require("chromium is not installed (Debian's package chromium)")
    with started() as chromium:
        yield chromium


@pytest.fixture(scope="session")
def town(chromium: Chromium) -> Iterator[Town]:
    """A flexid with people and their devices in it; it is not begun where there is no browser."""
    del chromium
    with (
        redis_server.running() as redis,
        running(
            redis_url=redis.url, blocking_amount_events_authorized_during_period="0", outbound_allow_private="1"
        ) as flexid,
    ):
        for uuid, agent in DEVICES.items():
            redis.ask("HSET", "fs:alice.martin@sip.example.org", f'"<{uuid}>"', redis_server.contact(uuid, agent=agent))
        yield settle(flexid)


@pytest.fixture(scope="session")
def doors(chromium: Chromium, town: Town) -> Doors:
    """The way in."""
    return Doors(chromium, town)


def _require(missing: str) -> None:
    """Skip, saying why; where nothing may be missing, fail."""
    if os.environ.get("CI") == "true":
        pytest.fail(missing)
    pytest.skip(missing)
