"""Who acts: whatever is written to the database meanwhile is noted in the audit log under this name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal

from attrs import frozen

Means = Literal["api_key", "session", "digest", "bearer", "certificate", "none", "command", "timer", "database"]
"""How somebody showed who he is: `none` where nobody asked, `database` for whoever wrote past flexid."""


@frozen
class Doer:
    """Somebody or something that acts."""

    name: str
    """The address of an account, or the name of a command or timer; empty for somebody unknown."""
    means: Means
    account_id: int | None = None
    credential: str | None = None
    """What tells an API key from others: its first characters, as lists of keys show them."""
    ip: str | None = None
    user_agent: str | None = None
    request_id: str | None = None


_doer: ContextVar[Callable[[], Doer] | None] = ContextVar("doer", default=None)

acts = _doer.set
"""Let somebody act from here on, in this coroutine and in what it awaits; he is asked for only where that matters."""
who = _doer.get


@contextmanager
def acting(doer: Doer) -> Iterator[None]:
    """Let somebody act within."""
    token = _doer.set(lambda: doer)
    try:
        yield
    finally:
        _doer.reset(token)
