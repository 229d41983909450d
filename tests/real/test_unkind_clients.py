"""What some clients do harms no other client."""

from __future__ import annotations

import pytest
from real.unkind_clients import dawdling, hang_up, idling, still_open
from support.flexid_process import Caller, Flexid

pytestmark = pytest.mark.real

FEW = 150
"""The bench does it with thousands (`python -m bench --faults`)."""
MEMORY = 30 << 20


def test_clients_that_hang_up_dawdle_or_idle_leave_others_alone(flexid: Flexid, admin: Caller) -> None:
    headers = {"Host": admin.authority, **admin.headers}
    before = flexid.process().memory_info().rss
    hang_up(flexid.port, "/api/accounts/me", headers, FEW)
    with dawdling(flexid.port, FEW), idling(flexid.port, FEW, headers) as idle:
        for _ in range(20):
            assert admin.get("/api/accounts/me").status == 200
        assert still_open(idle) == FEW
    assert flexid.process().memory_info().rss - before < MEMORY
    # The pool is whole: nobody has taken a connection of it with him.
    assert admin.get("/health/ready").status == 200
    assert "Traceback" not in flexid.log_tail()
