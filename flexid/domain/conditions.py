"""How the processes of a cluster are, and whatever flexid needs beside its database."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from attrs import frozen

State = Literal["well", "away", "held", "unused"]
"""`held`: another client has what only one can have."""


@frozen
class Condition:
    """How something is; `says` is for operators, in English, and holds no secret."""

    state: State
    says: str = ""
    since: datetime | None = None


@frozen
class ProcessReport:
    """What a process said of itself a moment ago."""

    id: str
    host: str
    pid: int
    started_at: datetime
    seen_at: datetime
    report: dict[str, Any]
