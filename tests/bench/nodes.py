"""`python -m bench --nodes`: two nodes behind HAProxy are restarted under load, and every failure is counted."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from support.traffic import traffic
from support.two_nodes import two_nodes

ROUNDS = 3
KEPT, SHORT = 24, 8
PATH = "/api/accounts/me"


def measure(results: Path) -> None:
    """Restart both nodes in turn, print, and write JSON."""
    took = []
    with two_nodes(throttling_factor="1000000") as pair:
        uses = pair.key_uses()
        with traffic(pair.haproxy.port, PATH, pair.headers, kept=KEPT, short=SHORT) as load:
            time.sleep(1)
            for _ in range(ROUNDS):
                for place in (0, 1):
                    began = time.monotonic()
                    pair.restart(place)
                    took.append(round(time.monotonic() - began, 1))
        for node in pair.nodes:
            node.stop()
        counted = pair.key_uses() - uses
        for node in pair.nodes:
            node.start()
    seconds = sorted(outcome.seconds for outcome in load.done)
    figures = {
        "restarts": len(took),
        "seconds_of_each": took,
        "requests": len(load.done),
        "failed": len(load.failures),
        "answers": dict(load.statuses),
        "refused_connections": load.refused,
        "uses_of_the_key_that_were_counted": counted,
        "p50_ms": round(1000 * seconds[len(seconds) // 2], 1),
        "p99_ms": round(1000 * seconds[len(seconds) * 99 // 100], 1),
        "longest_ms": round(1000 * seconds[-1], 1),
    }
    results.parent.mkdir(parents=True, exist_ok=True)
    results.write_text(json.dumps(figures, indent=2))
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")
