"""What is done again and again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from attrs import define, field, frozen
from twisted.internet.defer import Deferred, ensureDeferred, succeed
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from flexid.domain.acting import Doer, acts
from flexid.domain.errors import Unavailable
from flexid.services.account_hooks import AccountHooks
from flexid.services.deliveries import Deliveries
from flexid.services.expirations import Expirations
from flexid.services.housekeeping import Housekeeping
from flexid.services.notices import Notices
from flexid.services.recovery import Recovery
from flexid.services.webhook_deliveries import WebhookDeliveries

TICK = 1.0
"""Seconds between two looks at what is due, and between two tries for the lock."""
BATCHES = 20
"""How many batches of one job follow each other before the others get their turn."""
MINUTE = 60.0
HOUR = 3600.0


@frozen
class Job:
    """Something to do every so many seconds: `clear` does one batch and returns how many it found, 0 at the end."""

    name: str
    every: float
    clear: Callable[[], Awaitable[int]]


def jobs(housekeeping: Housekeeping, sent: Deliveries, told: Notices) -> tuple[Job, ...]:
    """Return all that is done in one process of the cluster."""
    return (
        Job("merge account counts", TICK, housekeeping.merge_account_counts),
        Job("clear nonces", MINUTE, housekeeping.clear_nonces),
        Job("clear API keys", MINUTE, housekeeping.clear_api_keys),
        Job("clear auth tokens", MINUTE, housekeeping.clear_auth_tokens),
        Job("clear sessions", MINUTE, housekeeping.clear_sessions),
        Job("clear kept answers", MINUTE, housekeeping.clear_kept_answers),
        Job("clear files of accounts", MINUTE, housekeeping.clear_account_imports),
        Job("clear registrations that nobody confirmed", MINUTE, housekeeping.clear_registrations),
        Job("clear recoveries", MINUTE, housekeeping.clear_recoveries),
        Job("clear sign-ins at OpenID servers", MINUTE, housekeeping.clear_oidc_attempts),
        Job("clear throttle counters", MINUTE, housekeeping.clear_throttle_counters),
        Job("clear the audit log", MINUTE, housekeeping.clear_audit_log),
        Job("clear reports of processes", HOUR, housekeeping.clear_process_reports),
        Job("clear SIP messages", MINUTE, housekeeping.clear_messages),
        Job("delete old files", MINUTE, housekeeping.files.delete_old),
        Job("delete slots that nobody filled", MINUTE, housekeeping.files.delete_unfilled),
        Job("remove deleted files", MINUTE, housekeeping.files.remove_deleted),
        Job("clear unconfirmed accounts", HOUR, housekeeping.clearance.clear_accounts_by_settings),
        Job("clear tombstones", HOUR, housekeeping.clearance.clear_tombstones_by_settings),
        Job("clear statistics", HOUR, housekeeping.clearance.clear_statistics_by_settings),
        Job("remove drafts of uploads", HOUR, housekeeping.files.remove_drafts),
        Job("clear the record of mails and SMS", MINUTE, sent.clear),
        Job("clear the record of notices for Flexisip", MINUTE, told.clear),
    )


def deliveries(waiting: Deliveries, recovery: Recovery) -> tuple[Job, ...]:
    """Return what hands things over to others, who may take their time."""
    return (
        Job("send codes of recoveries", TICK, recovery.answer),
        Job("deliver mails and SMS", TICK, waiting.begin),
    )


def expiring(waiting: Expirations) -> tuple[Job, ...]:
    """Return what is told some days before something ends; a day that was missed is told of in the next hour."""
    return (Job("tell of Spaces that expire", HOUR, waiting.tell_daily),)


def notices(waiting: Notices) -> tuple[Job, ...]:
    """Return what Flexisip hears of, which is to bite at once."""
    return (Job("tell Flexisip of changes", TICK, waiting.deliver),)


def webhooks(waiting: WebhookDeliveries) -> tuple[Job, ...]:
    """Return what brings events to webhooks, and forgets them."""
    return (
        Job("bring events to webhooks", TICK, waiting.begin),
        Job("clear the record of webhooks", MINUTE, waiting.clear),
    )


def hooks(waiting: AccountHooks) -> tuple[Job, ...]:
    """Return what calls operators' own functions, which may take their time."""
    return (
        Job("call hooks of accounts", TICK, waiting.call),
        Job("clear the record of hooks", MINUTE, waiting.clear),
    )


@define
class Outcomes:
    """How often a job was run, how often that failed, how much it found, and how long that took."""

    runs: Counter[str] = field(factory=Counter)
    failures: Counter[str] = field(factory=Counter)
    cleared: Counter[str] = field(factory=Counter)
    seconds: dict[str, float] = field(factory=dict)
    """Of the last run."""
    total_seconds: dict[str, float] = field(factory=dict)
    ran_at: dict[str, float] = field(factory=dict)
    """When it began the last time, in seconds since 1970."""


class Repeated:
    """Calls a function every so many seconds, and logs and counts its errors; a call that takes long is not doubled."""

    log = Logger()

    def __init__(self, reactor: Any, name: str, every: float, function: Callable[[], Awaitable[object]]) -> None:
        self.failures = 0
        self._name = name
        self._every = every
        self._function = function
        self._loop = LoopingCall(self._begin)
        self._loop.clock = reactor
        self._call: Deferred[None] = succeed(None)

    def start(self) -> None:
        """Begin, with a first call after the interval."""
        self._loop.start(self._every, now=False)

    async def stop(self) -> None:
        """Begin no further call, and wait until the last one is through."""
        if self._loop.running:
            self._loop.stop()
        await self._call

    def _begin(self) -> Deferred[None]:
        self._call = ensureDeferred(self._guarded())
        return self._call

    async def _guarded(self) -> None:
        try:
            await self._function()
        except Unavailable:
            self.failures += 1
            self.log.warn("The database is away: {name} has to wait", name=self._name)
        except Exception:  # noqa: BLE001  # the next call may go well
            self.failures += 1
            self.log.failure("{name} failed", name=self._name)


class Timers:
    """Runs jobs when they are due, while this process is the one of the cluster that does so."""

    log = Logger()

    def __init__(self, reactor: Any, is_ours: Callable[[], Awaitable[bool]], jobs: tuple[Job, ...]) -> None:
        """`is_ours` tells whether it is this process' turn, and is asked before every job."""
        self.outcomes = Outcomes()
        self._reactor = reactor
        self._is_ours = is_ours
        self._due = dict.fromkeys(jobs, 0.0)
        self._leading = False
        self._ticks = Repeated(reactor, "timers", TICK, self.tick)

    @property
    def leading(self) -> bool:
        """Say whether it was this process' turn when it was last asked for."""
        return self._leading

    def start(self) -> None:
        """Begin to look at what is due."""
        self._ticks.start()

    async def stop(self) -> None:
        """Begin no further job, and wait for the one that runs."""
        await self._ticks.stop()

    async def tick(self) -> None:
        """Run what is due."""
        for job, due in self._due.items():
            if due <= self._reactor.seconds() and await self._lead():
                self._due[job] = self._reactor.seconds() + (job.every if await self._run(job) else 0.0)

    async def _lead(self) -> bool:
        leading = await self._is_ours()
        if leading and not self._leading:
            self.log.info(
                "This process runs the timers: {names}",
                event="timers.leading",
                names=", ".join(job.name for job in self._due),
            )
        self._leading = leading
        return leading

    async def _run(self, job: Job) -> bool:
        """Return whether the job is done for now."""
        began = self._reactor.seconds()
        self.outcomes.runs[job.name] += 1
        acts(partial(Doer, job.name, "timer"))
        try:
            for _ in range(BATCHES):
                cleared = await job.clear()
                self.outcomes.cleared[job.name] += cleared
                if not cleared:
                    return True
        except Unavailable:
            self.outcomes.failures[job.name] += 1
            self.log.warn("The database is away: {name} has to wait", name=job.name, event="timer.waiting")
        except Exception:  # noqa: BLE001  # the other jobs have their turn, and this one another time
            self.outcomes.failures[job.name] += 1
            self.log.failure("{name} failed", name=job.name, event="timer.failed")
        else:
            return False
        finally:
            seconds = self._reactor.seconds() - began
            self.outcomes.seconds[job.name] = seconds
            self.outcomes.total_seconds[job.name] = self.outcomes.total_seconds.get(job.name, 0.0) + seconds
            self.outcomes.ran_at[job.name] = began
        return True
