"""Answers that are given again to a request that comes again (`Idempotency-Key`)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from attrs import field, frozen

LONGEST_KEY = 255
LARGEST = 1 << 18
"""Bytes of an answer's body; a larger one is not kept, and its request cannot be repeated."""
_KEY = re.compile(rf"[!-~]{{1,{LONGEST_KEY}}}")
NEVER_KEPT = frozenset({401, 429})
_SERVER_ERRORS = 500


@frozen
class KeptAnswer:
    """An answer as it was given."""

    status: int
    content_type: str | None
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def is_to_be_kept(self) -> bool:
        """Say whether it would be the same another time: neither a failure of ours, nor one that passes."""
        return self.status < _SERVER_ERRORS and self.status not in NEVER_KEPT


@frozen
class KeyedRequest:
    """A request that may come again, under a key that its caller has chosen."""

    caller: str
    route: str
    key: str
    body_hash: bytes

    @property
    def identity(self) -> str:
        """Return what no other request shares, in 64 hexadecimal digits."""
        return hashlib.sha256(f"{self.caller}\n{self.route}\n{self.key}".encode("utf-8", "surrogatepass")).hexdigest()


def is_key(text: str) -> bool:
    """Say whether a text may be a key: visible characters of ASCII, at most 255."""
    return _KEY.fullmatch(text) is not None
