"""What is due is done, in one process, whatever goes wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from attrs import define, field
from support.reactor import asynchronous
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.task import Clock
from twisted.logger import LogEvent, LogLevel, globalLogPublisher

from flexid.domain.errors import Unavailable
from flexid.timers import BATCHES, Job, Repeated, Timers


@define
class Work:
    """A job that finds so many batches of something."""

    batches: int = 0
    error: Exception | None = None
    runs: int = 0

    async def clear(self) -> int:
        self.runs += 1
        if self.error:
            raise self.error
        self.batches -= 1
        return 10 if self.batches >= 0 else 0


@define
class Turn:
    """Whether it is our turn."""

    ours: bool = True
    asked: int = 0

    async def is_ours(self) -> bool:
        self.asked += 1
        return self.ours


@define
class Watched:
    """Timers with one job a minute, on a clock of the test's."""

    work: Work
    turn: Turn = field(factory=Turn)
    clock: Clock = field(factory=Clock)

    def start(self, *others: Job) -> Timers:
        timers = Timers(self.clock, self.turn.is_ours, (Job("work", 60, self.work.clear), *others))
        timers.start()
        return timers

    def pass_(self, seconds: int) -> None:
        self.clock.pump([1.0] * seconds)


@pytest.fixture
def logged() -> Iterator[list[LogEvent]]:
    events: list[LogEvent] = []
    observer: Any = events.append
    globalLogPublisher.addObserver(observer)
    yield events
    globalLogPublisher.removeObserver(observer)


def test_a_job_is_done_at_once_and_then_every_minute() -> None:
    watched = Watched(Work())
    watched.start()
    watched.pass_(1)
    assert watched.work.runs == 1
    watched.pass_(59)
    assert watched.work.runs == 1
    watched.pass_(2)
    assert watched.work.runs == 2


def test_batches_follow_each_other_until_nothing_is_left() -> None:
    watched = Watched(Work(batches=3))
    timers = watched.start()
    watched.pass_(1)
    assert watched.work.runs == 4
    assert timers.outcomes.cleared["work"] == 30


def test_a_job_without_end_lets_the_others_have_their_turn() -> None:
    watched = Watched(Work(batches=BATCHES + 5))
    other = Work()
    watched.start(Job("other", 60, other.clear))
    watched.pass_(1)
    assert (watched.work.runs, other.runs) == (BATCHES, 1)
    watched.pass_(1)
    assert watched.work.runs == BATCHES + 6


def test_nothing_is_done_while_another_process_leads() -> None:
    watched = Watched(Work(), Turn(ours=False))
    watched.start()
    watched.pass_(100)
    assert watched.work.runs == 0
    watched.turn.ours = True
    watched.pass_(1)
    assert watched.work.runs == 1


@pytest.mark.parametrize("error", [Unavailable(), RuntimeError("a bug")])
def test_an_error_is_counted_and_logged_and_stops_nothing(error: Exception, logged: list[LogEvent]) -> None:
    watched = Watched(Work(error=error))
    other = Work()
    timers = watched.start(Job("other", 60, other.clear))
    watched.pass_(62)
    assert (watched.work.runs, other.runs) == (2, 2)
    assert timers.outcomes.failures == {"work": 2}
    complaints = [event for event in logged if event["log_level"] >= LogLevel.warn]
    assert [event["name"] for event in complaints] == ["work", "work"]


@asynchronous
async def test_stopping_waits_for_what_runs_and_begins_nothing_more() -> None:
    clock, calls = Clock(), list[Deferred[None]]()

    async def slow() -> None:
        calls.append(Deferred())
        await calls[-1]

    repeated = Repeated(clock, "slow", 5, slow)
    repeated.start()
    clock.advance(5)
    clock.advance(50)
    assert len(calls) == 1
    stopped = ensureDeferred(repeated.stop())
    assert not stopped.called
    calls[0].callback(None)
    await stopped
    clock.advance(50)
    assert len(calls) == 1
