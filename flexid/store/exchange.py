"""A statement on its way to the server, and who waits for the answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from attrs import define
from twisted.internet.defer import Deferred

from flexid.store.prepared import Prepared
from flexid.store.query import Query, Row

if TYPE_CHECKING:
    from flexid.store.connection import Connection


@define(eq=False)
class Exchange:
    """One statement and its answer.

    The answer has no canceller: a caller who gives up gets his CancelledError, while the exchange goes on and leaves
    the connection whole.
    """

    query: Query
    parameters: Mapping[str, Any]
    before: str
    """SQL that goes in front, in the same message: BEGIN."""
    done: Callable[[Connection], object] | None
    """Called when the connection is free again, whether the statement succeeded or not."""
    answer: Deferred[list[Row]]
    began: float = 0.0
    """In the reactor's seconds."""
    doer: str = ""
    """SQL that goes right before the statement, in the same message: who acts."""
    prepared: Prepared | None = None
    preparing: bool = False
    repeated: bool = False
