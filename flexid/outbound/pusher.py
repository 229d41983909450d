"""Flexisip's pusher: a program that is run once for each push notification."""

# Twisted's code for processes has no types.
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from attrs import define, field, frozen
from twisted.internet.defer import Deferred, DeferredSemaphore
from twisted.internet.error import ProcessExitedAlready
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure

from flexid.base.text import Text
from flexid.domain.errors import Unavailable
from flexid.domain.push import Push

AT_ONCE = 10
LONGEST_QUEUE = 100
SECONDS = 10.0
"""How long a notification may take before its process is killed."""
MOST_OUTPUT = 2000
"""Characters of what it says that are logged."""
UNAVAILABLE = Text("Push notifications cannot be sent at the moment")


class Pusher(Protocol):
    """Sends push notifications."""

    def is_configured(self) -> bool:
        """Say whether any can be sent at all."""

    async def push(self, push: Push) -> None:
        """Send one, and wait until its provider has taken it.

        :raise Unavailable: it was not sent, or nobody knows whether it was.
        """


@frozen
class NoPusher:
    """Stands where none is configured."""

    def is_configured(self) -> bool:
        """Say no."""
        return False

    async def push(self, push: Push) -> None:  # noqa: ARG002  # as every pusher has it
        """Refuse.

        :raise Unavailable: always.
        """
        raise Unavailable(UNAVAILABLE)


@define
class FlexisipPusher:
    """Runs `flexisip_pusher`, several at once; what does not get its turn within a queue of some length is refused."""

    log = Logger()

    reactor: Any
    path: Path
    keys: Mapping[str, str] = field(repr=False)
    environment: Mapping[str, str] = field(repr=False)
    _turns: DeferredSemaphore = field(factory=lambda: DeferredSemaphore(AT_ONCE), init=False)

    def is_configured(self) -> bool:
        """Say yes."""
        return True

    async def push(self, push: Push) -> None:
        """Run the program.

        :raise Unavailable: it failed, took too long, cannot be run, or too many wait for their turn.
        """
        if len(self._turns.waiting) >= LONGEST_QUEUE:
            self.log.warn("Too many push notifications wait for their turn", event="push.crowded")
            raise Unavailable(UNAVAILABLE)
        trouble, output = await self._turns.run(self._run, [str(self.path), *push.arguments(self.keys)])
        if trouble:
            for secret in filter(None, (push.token, push.target.prid, *self.keys.values())):
                output = output.replace(secret, "***")
            self.log.warn(
                "{path} {trouble}: {output}", event="push.failed", path=str(self.path), trouble=trouble, output=output
            )
            raise Unavailable(UNAVAILABLE)

    def _run(self, argv: list[str]) -> Deferred[tuple[str | None, str]]:
        run = _Run()
        try:
            process = self.reactor.spawnProcess(run, argv[0], argv, env=self.environment)
        except OSError as error:
            run.ended.callback((f"cannot be run, {error.strerror}", ""))
            return run.ended

        def kill() -> None:
            run.is_late = True
            with suppress(ProcessExitedAlready):
                process.signalProcess("KILL")
            # What it has started may hold its pipes open for ever.
            process.loseConnection()

        late = self.reactor.callLater(SECONDS, kill)
        return run.ended.addBoth(_after_cancelling(late))


def _after_cancelling(call: Any) -> Callable[[Any], Any]:
    def ended(result: Any) -> Any:
        if call.active():
            call.cancel()
        return result

    return ended


class _Run(ProcessProtocol):
    """One process: `ended` fires with what went wrong, None if nothing did, and with what it said."""

    def __init__(self) -> None:
        self.ended: Deferred[tuple[str | None, str]] = Deferred()
        self.is_late = False
        self._output = b""

    def outReceived(self, data: bytes) -> None:  # noqa: N802  # Twisted's name
        """Keep what it says, up to a bound."""
        self._output = (self._output + data)[:MOST_OUTPUT]

    errReceived = outReceived  # noqa: N815  # as above

    def processEnded(self, reason: Failure) -> None:  # noqa: N802  # as above
        """Tell how it ended."""
        status: Any = reason.value
        trouble = "took too long" if self.is_late else f"ended with {status.exitCode}" if status.exitCode != 0 else None
        self.ended.callback((trouble, self._output.decode(errors="replace").strip()))
