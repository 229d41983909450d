"""Files as answers: read as fast as their receivers take them, whole or in part."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Mapping
from typing import Any, BinaryIO

from attrs import field, frozen
from twisted.internet.threads import deferToThread

from flexid.http import streaming
from flexid.http.answers import Answer

PIECE = 1 << 16
"""Bytes that are read at once."""
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


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
    streaming.pour(request, _pieces(answer))


async def _pieces(answer: FileAnswer) -> AsyncGenerator[bytes, None]:
    file, left = answer.file, answer.length
    try:
        await deferToThread(file.seek, answer.start)
        while left:
            piece = await deferToThread(_read, file, min(PIECE, left))
            left -= len(piece)
            yield piece
    finally:
        file.close()


def _read(file: BinaryIO, most: int) -> bytes:
    piece = file.read(most)
    if not piece:
        raise EOFError("It is shorter than it was")
    return piece
