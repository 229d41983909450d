"""All rate limits, in one place: so many events of a kind in a window of so many seconds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from attrs import frozen

from flexid.base.clock import Clock
from flexid.domain.errors import Throttled
from flexid.store import throttles
from flexid.store.query import Runner

MINUTE, HOUR = 60, 3600


@frozen
class Limit:
    """At most `hits` in each window of `seconds`."""

    name: str
    hits: int
    seconds: int


# Three windows for an account: the wait grows from a minute over ten to an hour.
SIGN_IN_OF_ACCOUNT = (
    Limit("failed sign-ins of an account a minute", 10, MINUTE),
    Limit("failed sign-ins of an account in ten minutes", 30, 10 * MINUTE),
    Limit("failed sign-ins of an account an hour", 100, HOUR),
)
SIGN_IN_OF_ADDRESS = (
    Limit("failed sign-ins from an address a minute", 100, MINUTE),
    Limit("failed sign-ins from an address an hour", 1000, HOUR),
)


@frozen
class Budget:
    """Limits with whom they count at this moment: what to look at before, and what to count after a failure."""

    windows: throttles.Windows
    allowed: tuple[int, ...]

    def refuse_if_spent(self, hits: list[int], now: datetime) -> None:
        """Refuse where one of the windows is full.

        :raise Throttled: with the seconds until the last of the full windows ends.
        """
        waits = [
            (end - now).total_seconds()
            for (_, _, _, end), allowed, hit in zip(self.windows, self.allowed, hits, strict=True)
            if hit >= allowed
        ]
        if waits:
            raise Throttled(max(1, round(max(waits))))


@frozen
class Limits:
    """The limits, multiplied by the configured factor."""

    clock: Clock
    factor: int = 1

    def sign_in(self, account: str, address: str) -> Budget:
        """Return the budget of failed sign-ins for a name, whether it exists or not, and a client's address."""
        now = self.clock.now()
        pairs = [(limit, account) for limit in SIGN_IN_OF_ACCOUNT] + [(limit, address) for limit in SIGN_IN_OF_ADDRESS]
        windows = []
        for limit, subject in pairs:
            start = datetime.fromtimestamp(now.timestamp() // limit.seconds * limit.seconds, UTC)
            windows.append((limit.name, subject, start, start + timedelta(seconds=limit.seconds)))
        return Budget(windows, tuple(limit.hits * self.factor for limit, _ in pairs))

    async def refuse_if_spent(self, runner: Runner, budget: Budget) -> None:
        """Refuse where one of the windows is full.

        :raise Throttled: with the seconds until the last of the full windows ends.
        """
        budget.refuse_if_spent(await throttles.hits(runner, budget.windows), self.clock.now())

    async def count(self, runner: Runner, budget: Budget) -> None:
        """Count one failure."""
        await throttles.hit(runner, budget.windows)
