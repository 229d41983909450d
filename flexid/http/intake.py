"""Forms with a file that goes to disk as it comes, while its sender waits for the disk."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from attrs import frozen
from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header
from twisted.internet.defer import Deferred, ensureDeferred

from flexid.base.text import Text
from flexid.domain.errors import Malformed, TooLarge
from flexid.services.uploads import Upload

FIELD = "file"
AROUND_FILE = 1 << 16
"""Bytes that a form may have around its file."""
MOST_PARTS = 100
AT_ONCE = 1 << 18
"""Bytes that wait for the disk; where there are so many, the sender waits."""
LONGEST_SECONDS = 900.0
"""Within which all has to come: who sends a byte a minute holds up nothing but himself, and not for ever."""


class Sender(Protocol):
    """The request whose body it is."""

    def header(self, name: str) -> str | None:
        """Return a header."""

    def pause_reading(self) -> None:
        """Let the client wait."""

    def resume_reading(self) -> None:
        """Let the client go on."""

    def cut_off(self) -> None:
        """End the request."""


@frozen
class Received:
    """A form that has come: whose request it was, and its file, if it had one."""

    admitted: Any
    """The call, as the guards have left it."""
    upload: Upload
    name: str | None
    """What the client calls the file, which may be anything; None if there was none."""


class _Closed(Exception):  # noqa: N818  # no error: nobody is interested any more
    """The client has hung up, or the request is over."""


class Intake:
    """Takes the body of one request, for a route that was declared to take a file.

    Nothing is written before the guards have looked at the request. What is refused is thrown away as it comes: the
    answer follows when all of it has come, as any other.
    """

    def __init__(
        self, reactor: Any, sender: Sender, begin: Callable[[], Awaitable[tuple[Any, Upload]]], max_size: int
    ) -> None:
        """`begin` admits the request and begins its upload, or raises; `max_size` is that of the file, in bytes."""
        self.longest = max_size + AROUND_FILE
        self._reactor = reactor
        self._sender = sender
        self._begin = begin
        self._max_size = max_size
        self._pieces: list[bytes] = []
        self._waiting = 0
        self._is_whole = self._is_closed = self._is_paused = self._is_claimed = False
        self._news: Deferred[None] | None = None
        self._work: Deferred[Received] | None = None
        self._deadline: Any = None

    def take(self, data: bytes) -> None:
        """Take a piece of the body."""
        if self._is_closed:
            return
        self._start()
        self._pieces.append(data)
        self._waiting += len(data)
        if self._waiting >= AT_ONCE and not self._is_paused:
            self._is_paused = True
            self._sender.pause_reading()
        self._tell()

    def end(self) -> None:
        """Be told that all of the body has come."""
        self._is_whole = True
        if self._deadline and self._deadline.active():
            self._deadline.cancel()
        self._go_on()
        self._tell()

    async def received(self) -> Received:
        """Wait for the form; whoever does so discards its upload in the end.

        :raise DomainError: the request is refused, or its body is no form, or too large.
        """
        self._is_claimed = True
        return await self._start()

    def close(self) -> None:
        """Keep nothing that nobody has asked for."""
        if self._is_closed or self._is_claimed:
            return
        self._is_closed = True
        self._pieces.clear()
        if self._deadline and self._deadline.active():
            self._deadline.cancel()
        self._tell()
        if self._work:
            self._work.addCallbacks(lambda received: ensureDeferred(received.upload.discard()), lambda _: None)

    def _start(self) -> Deferred[Received]:
        if self._work is None:
            if not self._is_whole:
                self._deadline = self._reactor.callLater(LONGEST_SECONDS, self._sender.cut_off)
            self._work = ensureDeferred(self._receive())
        return self._work

    async def _receive(self) -> Received:
        try:
            admitted, upload = await self._begin()
            try:
                return Received(admitted, upload, await self._store(upload))
            except Exception:
                await upload.discard()
                raise
        except Exception:
            await self._throw_away()
            raise

    async def _store(self, upload: Upload) -> str | None:
        """Write the file of the form as it comes, and return its name."""
        kind, options = parse_options_header(self._sender.header("content-type") or "")
        if kind != "multipart/form-data":
            await self._throw_away()
            return None
        name, is_file = None, False
        try:
            form = PushMultipartParser(options.get("boundary", ""), max_segment_count=MOST_PARTS)
            while data := await self._next():
                content = []
                for event in form.parse(data):
                    if isinstance(event, MultipartSegment):
                        is_file = event.name == FIELD and bool(event.filename) and name is None
                        name = event.filename if is_file else name
                    elif event and is_file:
                        content.append(event)
                if upload.size + sum(map(len, content)) > self._max_size:
                    raise TooLarge
                if content:
                    await upload.write(b"".join(content))
            form.close()
        except (MultipartError, ValueError) as error:
            raise Malformed(Text("Invalid form: {why}", why=str(error))) from None
        return name

    async def _throw_away(self) -> None:
        try:
            while await self._next():
                pass
        except _Closed:
            return

    async def _next(self) -> bytes:
        """Return what has come meanwhile, nothing at the end."""
        while not (self._pieces or self._is_whole or self._is_closed):
            self._news = Deferred()
            await self._news
        if self._is_closed:
            raise _Closed
        data = b"".join(self._pieces)
        self._pieces.clear()
        self._waiting = 0
        self._go_on()
        return data

    def _go_on(self) -> None:
        if self._is_paused:
            self._is_paused = False
            self._sender.resume_reading()

    def _tell(self) -> None:
        news, self._news = self._news, None
        if news:
            news.callback(None)
