"""Nonces that need no storing: a time, and an HMAC that ties it to whom it was issued."""

from __future__ import annotations

import hmac
import re

from attrs import frozen

_TIME_DIGITS = 16
_MAC_DIGITS = 48
_NONCE = re.compile(rf"[0-9a-f]{{{_TIME_DIGITS + _MAC_DIGITS}}}")


@frozen
class Holder:
    """To whom a nonce is issued; `opaque` is random, made anew by the caller for every challenge."""

    opaque: str
    client_address: str
    username: str
    realm: str


def issue(key: bytes, now: float, holder: Holder) -> str:
    """Return a nonce of 64 hex digits; `now` in seconds since 1970."""
    issued_at = f"{int(now * 1000):0{_TIME_DIGITS}x}"
    return issued_at + _mac(key, issued_at, holder)


def age(key: bytes, now: float, nonce: str, holder: Holder) -> float | None:
    """Return the seconds since the nonce was issued to this holder, None if it never was; in constant time."""
    if not _NONCE.fullmatch(nonce):
        return None
    issued_at, mac = nonce[:_TIME_DIGITS], nonce[_TIME_DIGITS:]
    if not hmac.compare_digest(mac, _mac(key, issued_at, holder)):
        return None
    return now - int(issued_at, 16) / 1000


def _mac(key: bytes, issued_at: str, holder: Holder) -> str:
    parts = ("nonce", issued_at, holder.opaque, holder.client_address, holder.username, holder.realm)
    return hmac.digest(key, "\0".join(parts).encode("utf-8", "surrogatepass"), "sha256").hex()[:_MAC_DIGITS]
