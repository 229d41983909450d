"""All rate limits, in one place: so many events of a kind in a window of so many seconds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from attrs import frozen

from flexid.base.clock import Clock
from flexid.domain.errors import Throttled
from flexid.domain.tokens import AddressKind
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
SMS_TO_NUMBER = (Limit("SMS to a number an hour", 10, HOUR),)
SMS_FOR_ADDRESS = (Limit("SMS that an address asks for an hour", 50, HOUR),)
CODES_TO_MAILBOX = (Limit("mails with codes to a mailbox an hour", 10, HOUR),)
CODES_FOR_ADDRESS = (Limit("mails with codes that an address asks for an hour", 50, HOUR),)
REGISTRATIONS_FROM_ADDRESS = (Limit("registrations that an address tries an hour", 100, HOUR),)
WEBHOOK_TESTS = (Limit("tests of a Space's webhooks a minute", 20, MINUTE),)
OIDC_SIGN_INS_FROM_ADDRESS = (Limit("sign-ins at OpenID servers that an address begins a minute", 600, MINUTE),)


@frozen
class Budget:
    """Limits with whom they count at this moment."""

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
        return self._budget([*_each(SIGN_IN_OF_ACCOUNT, account), *_each(SIGN_IN_OF_ADDRESS, address)])

    def sms(self, number: str, address: str) -> Budget:
        """Return the budget of SMS to a phone number, which a client's address asks for."""
        return self._budget([*_each(SMS_TO_NUMBER, number), *_each(SMS_FOR_ADDRESS, address)])

    def code(self, kind: AddressKind, recipient: str, address: str) -> Budget:
        """Return the budget of codes to somebody who may be nobody we know, which a client's address asks for."""
        if kind == "phone":
            return self.sms(recipient, address)
        return self._budget([*_each(CODES_TO_MAILBOX, recipient.lower()), *_each(CODES_FOR_ADDRESS, address)])

    def registrations(self, address: str) -> Budget:
        """Return the budget of forms for new accounts, right or wrong, that a client's address sends."""
        return self._budget(_each(REGISTRATIONS_FROM_ADDRESS, address))

    def webhook_tests(self, domain: str) -> Budget:
        """Return the budget of requests that administrators of a Space may cause to try its webhooks."""
        return self._budget(_each(WEBHOOK_TESTS, domain))

    def oidc_sign_ins(self, address: str) -> Budget:
        """Return the budget of sign-ins at OpenID servers that a client's address begins."""
        return self._budget(_each(OIDC_SIGN_INS_FROM_ADDRESS, address))

    def _budget(self, pairs: list[tuple[Limit, str]]) -> Budget:
        now = self.clock.now()
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

    async def spend(self, transaction: Runner, budget: Budget) -> None:
        """Count something that is about to happen, or refuse it; then the transaction must not be committed.

        :raise Throttled: with the seconds until the last of the full windows ends.
        """
        before = [hits - 1 for hits in await throttles.hit(transaction, budget.windows)]
        budget.refuse_if_spent(before, self.clock.now())


def _each(limits: tuple[Limit, ...], subject: str) -> list[tuple[Limit, str]]:
    return [(limit, subject) for limit in limits]
