"""Requests that may come again: what they do is done once, and their first answer is given again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import orjson
from attrs import define, field
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from flexid.base.clock import random_bytes
from flexid.base.text import Text
from flexid.domain.errors import Conflict, Invalid
from flexid.domain.kept_answers import LARGEST, KeptAnswer, KeyedRequest
from flexid.store import kept_answers
from flexid.store.database import Database

HEADER = "Idempotency-Key"
NONCE_BYTES = 12
RUNNING = Text("The first request with this key is still running")
OTHER_BODY = Text("This key came with another body before")
BROKE_OFF = Text(
    "The first request with this key broke off, and nobody knows what it did: look, and take another key to repeat it"
)
TOO_LARGE = Text("The request with this key was carried out; its answer was too large to be kept")


@define
class Idempotency:
    """The use case. The answer is committed with what the request did: neither ever stands without the other.

    What cannot wait for that commit (`flexid.store.ambient.apart`) is marked first.
    """

    database: Database
    _cipher: AESGCM | None = field(default=None, init=False, repr=False)

    async def once(self, request: KeyedRequest, act: Callable[[], Awaitable[KeptAnswer]]) -> tuple[KeptAnswer, bool]:
        """Return what `act` answers, or what it answered the first time; and whether it is the first time.

        :raise Conflict: the first one still runs, or broke off and may have left something behind, or its answer was
            too large to be kept.
        :raise Invalid: another body came with the key.
        """
        cipher = await self._get_cipher()
        is_marked = False

        async def mark() -> None:
            nonlocal is_marked
            is_marked = True
            await kept_answers.mark(self.database, request)

        async with self.database.all_in_one(mark) as transaction:
            begun = await kept_answers.begin(transaction, request)
            if begun is None:
                raise Conflict(RUNNING)
            if begun.body_hash != request.body_hash:
                raise Invalid.field(HEADER, OTHER_BODY)
            if begun.answer:
                return _unpacked(cipher, request, begun.answer), False
            if begun.is_marked:
                raise Conflict(BROKE_OFF)
            answer = await act()
            if is_marked:
                await kept_answers.unmark(transaction, request)
            if answer.is_to_be_kept:
                await kept_answers.keep(transaction, request, _packed(cipher, request, answer))
            else:
                await kept_answers.forget(transaction, request)
        return answer, True

    async def _get_cipher(self) -> AESGCM:
        if self._cipher is None:
            self._cipher = AESGCM(await kept_answers.secret(self.database))
        return self._cipher


def _packed(cipher: AESGCM, request: KeyedRequest, answer: KeptAnswer) -> bytes:
    """Return an answer encrypted, bound to its request: nobody can pass it for another's."""
    is_small = len(answer.body) <= LARGEST
    about = [answer.status, answer.content_type, dict(answer.headers)] if is_small else None
    plain = orjson.dumps(about) + b"\n" + (answer.body if is_small else b"")
    nonce = random_bytes(NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, plain, request.identity.encode())


def _unpacked(cipher: AESGCM, request: KeyedRequest, kept: bytes) -> KeptAnswer:
    plain = cipher.decrypt(kept[:NONCE_BYTES], kept[NONCE_BYTES:], request.identity.encode())
    about, _, body = plain.partition(b"\n")
    if (read := orjson.loads(about)) is None:
        raise Conflict(TOO_LARGE)
    status, content_type, headers = read
    return KeptAnswer(status, content_type, headers, body)
