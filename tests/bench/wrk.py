"""Load by wrk: one thread, 32 connections."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from attrs import field, frozen
from support.flexid_process import ADDRESS

CONNECTIONS = 32
SCRIPT = Path(__file__).with_name("requests.lua")
WARM_UP = 2


@frozen
class Load:
    """What is sent: always the same, or what the kind of load in `requests.lua` makes of its arguments."""

    path: str
    headers: Mapping[str, str] = field(factory=dict)
    kind: Sequence[str] = ()


@frozen
class Counted:
    """What wrk has counted."""

    requests: int
    seconds: float
    answered: int
    """Pairs of challenge and answer, in the load that has them."""
    refused: int
    """Answers that are neither 2xx nor 3xx."""
    broken: int
    """Connections that failed, or took too long."""
    p50_ms: float
    p99_ms: float
    connections: int = CONNECTIONS


def program() -> str:
    """Return wrk's path; without it there is nothing to do."""
    if found := shutil.which("wrk"):
        return found
    sys.exit("The bench needs wrk: on Debian and Ubuntu, apt-get install wrk")


def measure(port: int, load: Load, seconds: int) -> Counted:
    """Send the load to a port of this machine for some seconds."""
    headers = [part for name, value in load.headers.items() for part in ("-H", f"{name}: {value}")]
    finished = subprocess.run(  # wrk, with what the bench itself says
        [
            program(),
            *("-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "10s", "-s", str(SCRIPT), *headers),
            f"http://{ADDRESS}:{port}{load.path}",
            *("--", *load.kind),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    return Counted(**json.loads(finished.stdout.splitlines()[-1]))
