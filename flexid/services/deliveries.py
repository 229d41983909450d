"""Delivers what waits in the outbox, at least once.

Each server has a lane of its own, in which a few things are under way at once: one that is slow or away holds up what
goes to it and nothing else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta

from attrs import define, field
from twisted.internet.defer import Deferred, DeferredList, DeferredLock, ensureDeferred
from twisted.internet.threads import deferToThread
from twisted.logger import Logger

from flexid.base.clock import Clock
from flexid.domain.errors import Unavailable
from flexid.domain.mail import Mail
from flexid.domain.outbox import Away, Doubtful, Due, Refused, Undelivered
from flexid.domain.sms import CodeSms, ShortMessage
from flexid.domain.space import Space
from flexid.outbound.outside import Outside
from flexid.services.lanes import SHARED, SMS, Lane, Lanes
from flexid.services.letters import LetterWriter
from flexid.services.space_directory import SpaceDirectory
from flexid.store import deliveries, logos, mail_servers
from flexid.store.database import Database

CHANNELS = ("mail", "sms")
SMS_AT_ONCE = 10
OWN_AT_ONCE = 4
"""Mails under way to the own server of one Space."""
SPACES_AT_ONCE = 20
"""Own servers that are begun with at once."""
OF_EACH_SPACE = 4
"""Mails of one Space before those of the others have their turn at the server of all."""
MOST_ATTEMPTS = 20
"""About twelve hours."""
KEPT = timedelta(days=30)
"""How long the record of what was delivered stays."""
SLACK = timedelta(seconds=15)
"""What a delivery takes beside the time that its carrier is given."""


@define(eq=False)
class Deliveries:
    """Mails and SMS on their way; one process of the cluster delivers."""

    log = Logger()

    database: Database
    clock: Clock
    directory: SpaceDirectory
    writer: LetterWriter
    outside: Outside
    mails_at_once: int
    """Under way to the server of all Spaces that have none of their own."""
    patience: timedelta
    """How long the carriers may take for one delivery."""
    outcomes: Counter[tuple[str, str]] = field(factory=Counter, init=False)
    """How many deliveries of each channel were `delivered`, `failed` for now, or given up: `refused` or `dead`."""
    _lanes: Lanes = field(init=False)
    _works: set[Deferred[int]] = field(factory=set, init=False)
    _beginning: DeferredLock = field(factory=DeferredLock, init=False)
    _is_resumed: bool = field(default=False, init=False)
    _is_ending: bool = field(default=False, init=False)

    @_lanes.default
    def _make_lanes(self) -> Lanes:
        return Lanes(self.clock)

    async def deliver(self) -> int:
        """Deliver what is due until nothing is, and return how much that was."""
        works = await self._begin()
        return sum(count for _, count in await DeferredList(works, fireOnOneErrback=True))

    async def begin(self) -> int:
        """Begin to deliver what is due, as far as there is room in the lanes; return how much was begun with."""
        return len(await self._begin())

    async def finish(self) -> None:
        """Begin with nothing more, and wait for what is under way; who cancels this leaves the rest to another time."""
        self._is_ending = True
        await DeferredList(list(self._works))

    async def clear(self) -> int:
        """Forget what was delivered long ago, or could not be."""
        before = self.clock.now() - KEPT
        dead = await deliveries.clear_dead(self.database, CHANNELS, before)
        return dead + await deliveries.clear(self.database, CHANNELS, before)

    async def _begin(self) -> list[Deferred[int]]:
        await self._beginning.acquire()
        try:
            if not self._is_resumed:
                await deliveries.resume(self.database, CHANNELS)
                self._is_resumed = True
            begun = [
                *((SHARED, due) for due in await self._claim(SHARED, self._room(SHARED, self.mails_at_once))),
                *((SMS, due) for due in await self._claim(SMS, self._room(SMS, SMS_AT_ONCE))),
                *await self._claim_own(),
            ]
            return [self._start(lane, due) for lane, due in begun]
        finally:
            self._beginning.release()

    def _room(self, lane: Lane, most: int) -> int:
        return 0 if self._is_ending else self._lanes.room(lane, most)

    async def _claim(self, lane: Lane, most: int) -> list[Due]:
        """Claim what is due in a lane."""
        lease = self.patience + SLACK
        if not most:
            return []
        if lane == SMS:
            return await deliveries.claim(self.database, ("sms",), most, lease=lease)
        of_each = most if lane.domain else OF_EACH_SPACE
        own = lane.domain is not None
        return await deliveries.claim_mails(self.database, lease, most, of_each, own=own, only=lane.domain)

    async def _claim_own(self) -> list[tuple[Lane, Due]]:
        """Claim what is due for own servers of Spaces: for those that are at rest, and where there is room left."""
        known = self._lanes.known_own()
        found = [(lane, due) for lane in known for due in await self._claim(lane, self._room(lane, OWN_AT_ONCE))]
        if not self._is_ending:
            lease, most, busy = (
                self.patience + SLACK,
                SPACES_AT_ONCE * OWN_AT_ONCE,
                [lane.domain or "" for lane in known],
            )
            fresh = await deliveries.claim_mails(self.database, lease, most, OWN_AT_ONCE, own=True, busy=busy)
            found += [(Lane("mail", due.domain), due) for due in fresh]
        return found

    def _start(self, lane: Lane, due: Due) -> Deferred[int]:
        self._lanes.begin(lane)
        work = ensureDeferred(self._work(lane, due))
        self._works.add(work)

        def end(result: object) -> object:
            self._works.discard(work)
            return result

        work.addBoth(end)
        return work

    async def _work(self, lane: Lane, due: Due | None) -> int:
        """Deliver one thing after the other in a lane, as long as more is due there; return how many."""
        count = 0
        try:
            while due:
                count += 1
                await self._deliver(lane, due)
                is_over = self._is_ending or self._lanes.is_resting(lane)
                due = next(iter(await self._claim(lane, 0 if is_over else 1)), None)
        except Unavailable:
            self.log.warn("The database is away: {channel} has to wait", channel=lane.channel)
        except Exception:  # noqa: BLE001  # whatever it was, the next round tries again
            self.log.failure("The delivery of {channel} failed", channel=lane.channel)
        finally:
            self._lanes.end(lane)
        return count

    async def _deliver(self, lane: Lane, due: Due) -> None:
        try:
            await self._hand_over(due)
        except Exception as error:  # noqa: BLE001  # the others are delivered all the same, and this one later
            if isinstance(error, Away):
                self._lanes.is_away(lane)
            elif isinstance(error, Undelivered):
                self._lanes.is_there(lane)
            await self._note_failure(due, error)
        else:
            self._lanes.is_there(lane)
            await deliveries.sent(self.database, due.id)
            self.outcomes[due.channel, "delivered"] += 1

    async def _note_failure(self, due: Due, error: Exception) -> None:
        # What other errors say may hold what the mail says.
        reason = str(error) if isinstance(error, Undelivered) else type(error).__name__
        is_final = isinstance(error, Refused)
        state = await deliveries.failed(
            self.database,
            due.id,
            reason,
            due.attempts if is_final else MOST_ATTEMPTS,
            doubtful=isinstance(error, Doubtful),
        )
        is_dead = state == "dead"
        self.outcomes[due.channel, "refused" if is_final else "dead" if is_dead else "failed"] += 1
        say = self.log.error if is_dead else self.log.warn
        say(
            "{channel} {id} was not delivered at attempt {attempt}, {outlook}: {reason}",
            channel=due.channel,
            id=due.id,
            attempt=due.attempts,
            outlook="and is given up" if is_dead else "and is tried again later",
            reason=reason,
        )

    async def _hand_over(self, due: Due) -> None:
        known = due.domain and await self.directory.by_domain(due.domain)
        if not known:
            raise Undelivered("its Space is gone")
        hand_over: Callable[[Due, Space], Awaitable[None]] = (
            self._hand_over_mail if due.channel == "mail" else self._hand_over_sms
        )
        await hand_over(due, known.space)

    async def _hand_over_sms(self, due: Due, space: Space) -> None:
        sms = CodeSms(**due.payload)
        if due.created_at + sms.patience < self.clock.now():
            raise Refused("its code has expired meanwhile")
        await self.outside.sms.send(ShortMessage(due.reference, sms.to, sms.text(space.name)))

    async def _hand_over_mail(self, due: Due, space: Space) -> None:
        server = await mail_servers.find(self.database, space.domain) if space.email_server else None
        logo = await logos.find(self.database, space.id, space.logo) if space.logo else None
        mail = Mail(**due.payload)
        letter = await deferToThread(self.writer.write, mail, space, due.reference, due.created_at, logo)
        await self.outside.mail.send(letter, server)
