"""Answers without a known end: made piece by piece, as fast as their receivers take them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from attrs import field, frozen
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.interfaces import IPushProducer
from twisted.logger import Logger
from zope.interface import implementer

from flexid.domain.errors import DomainError
from flexid.http.answers import Answer

log = Logger()


@frozen
class StreamedAnswer(Answer):
    """An answer whose body comes in pieces; nothing is asked for that its receiver has no room for."""

    pieces: AsyncGenerator[bytes, None] = field(kw_only=True)


async def answer(
    pieces: AsyncGenerator[bytes, None], content_type: str, headers: dict[str, str] | None = None
) -> StreamedAnswer:
    """Return the answer, once its first piece is there: what is wrong from the start can still be refused."""
    first = await anext(pieces, b"")

    async def every() -> AsyncGenerator[bytes, None]:
        async with aclosing(pieces):
            yield first
            async for piece in pieces:
                yield piece

    return StreamedAnswer(content_type=content_type, headers=headers or {}, pieces=every())


def send(request: Any, answer: StreamedAnswer) -> None:
    """Send the body of an answer whose headers are set, and finish the request."""
    if request.method == b"HEAD":
        request.finish()
        return
    pour(request, answer.pieces)


def pour(request: Any, pieces: AsyncGenerator[bytes, None]) -> None:
    """Send pieces to a request whose headers are set, and finish it."""
    ensureDeferred(_Streaming(request, pieces).run())


@implementer(IPushProducer)
class _Streaming:
    """A body on its way; what is written to waits for the network tells when to stop and when to go on."""

    def __init__(self, request: Any, pieces: AsyncGenerator[bytes, None]) -> None:
        self._request = request
        self._pieces = pieces
        self._pause: Deferred[None] | None = None

    async def run(self) -> None:
        """Send it all, unless the client hangs up."""
        request = self._request
        # It tells of hang-ups that come while nothing can be sent.
        request.notifyFinish().addErrback(lambda _: self.resumeProducing())
        request.registerProducer(self, True)  # noqa: FBT003  # Twisted's
        try:
            async for piece in self._pieces:
                if self._pause:
                    await self._pause
                if request.is_gone:
                    break
                request.write(piece)
        except DomainError as error:
            self._break_off(error)
            return
        except Exception:  # noqa: BLE001  # only a connection that ends early can tell of it
            log.failure("A long answer failed", event="answer.broken")
            self._break_off()
            return
        finally:
            await self._pieces.aclose()
        if not request.is_gone:
            request.unregisterProducer()
            request.finish()

    def _break_off(self, error: DomainError | None = None) -> None:
        """End the connection before the answer's end, which tells the client that something is missing."""
        if error:
            log.warn("A long answer broke off: {reason}", event="answer.broken", reason=error.reason)
        if not self._request.is_gone:
            self._request.channel.forceAbortClient()

    def pauseProducing(self) -> None:  # noqa: N802  # Twisted's name
        """Wait."""
        self._pause = self._pause or Deferred()

    def resumeProducing(self) -> None:  # noqa: N802  # Twisted's name
        """Go on."""
        pause, self._pause = self._pause, None
        if pause:
            pause.callback(None)

    stopProducing = resumeProducing  # noqa: N815  # the client has hung up, which the request knows
