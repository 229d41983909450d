"""Files as answers: read as fast as their receivers take them, whole or in part."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, BinaryIO

from attrs import field, frozen
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.interfaces import IPushProducer
from twisted.internet.threads import deferToThread
from twisted.logger import Logger
from zope.interface import implementer

from flexid.http.answers import Answer

PIECE = 1 << 16
"""Bytes that are read at once."""
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")

log = Logger()


@frozen
class FileAnswer(Answer):
    """An answer whose body stands in a file, from `start` on."""

    file: BinaryIO = field(kw_only=True)
    start: int = field(kw_only=True)
    length: int = field(kw_only=True)

    @property
    def size(self) -> int:
        """Return how many bytes its body has."""
        return self.length


def answer(
    file: BinaryIO, size: int, content_type: str, headers: Mapping[str, str], wished: str | None = None
) -> Answer:
    """Return the answer that sends a file of so many bytes, or the part that `wished`, a `Range`, asks for.

    One part only, and anything else is the whole (RFC 9110, 14.2): players seek, nobody needs several at once.
    """
    told = {"Accept-Ranges": "bytes", **headers}
    wish = _RANGE.fullmatch(wished or "")
    first, last = wish.groups() if wish else ("", "")
    if not first and not last:
        return FileAnswer(content_type=content_type, headers=told, file=file, start=0, length=size)
    start = int(first) if first else max(size - int(last), 0)
    end = min(int(last) + 1, size) if first and last else size
    if first and last and int(last) < start:
        return FileAnswer(content_type=content_type, headers=told, file=file, start=0, length=size)
    if start >= size or (last == "0" and not first):
        file.close()
        return Answer(status=416, headers={**told, "Content-Range": f"bytes */{size}"})
    told["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    return FileAnswer(content_type=content_type, status=206, headers=told, file=file, start=start, length=end - start)


def send(request: Any, answer: FileAnswer) -> None:
    """Send the body of an answer whose headers are set, and finish the request."""
    if request.is_gone or request.method == b"HEAD":
        answer.file.close()
        if not request.is_gone:
            request.finish()
        return
    ensureDeferred(_Sending(request, answer).run()).addErrback(
        lambda failure: log.failure("A file could not be sent to its end", failure)
    )


def _read(file: BinaryIO, most: int) -> bytes:
    piece = file.read(most)
    if not piece:
        raise EOFError("It is shorter than it was")
    return piece


@implementer(IPushProducer)
class _Sending:
    """A file on its way; what is written to waits for the network tells when to stop and when to go on."""

    def __init__(self, request: Any, answer: FileAnswer) -> None:
        self._request = request
        self._answer = answer
        self._pause: Deferred[None] | None = None

    async def run(self) -> None:
        """Send it all, unless the client hangs up."""
        request, file, left = self._request, self._answer.file, self._answer.length
        # It tells of hang-ups that come while nothing can be sent.
        request.notifyFinish().addErrback(lambda _: self.resumeProducing())
        request.registerProducer(self, True)  # noqa: FBT003  # Twisted's
        try:
            await deferToThread(file.seek, self._answer.start)
            while left and not request.is_gone:
                piece = await deferToThread(_read, file, min(PIECE, left))
                left -= len(piece)
                if self._pause:
                    await self._pause
                if not request.is_gone:
                    request.write(piece)
        except Exception:
            # Its length was promised: only a connection that ends early can tell.
            if not request.is_gone:
                request.channel.forceAbortClient()
            raise
        finally:
            file.close()
        if not request.is_gone:
            request.unregisterProducer()
            request.finish()

    def pauseProducing(self) -> None:  # noqa: N802  # Twisted's name
        """Wait."""
        self._pause = self._pause or Deferred()

    def resumeProducing(self) -> None:  # noqa: N802  # Twisted's name
        """Go on."""
        pause, self._pause = self._pause, None
        if pause:
            pause.callback(None)

    stopProducing = resumeProducing  # noqa: N815  # the client has hung up, which the request knows
