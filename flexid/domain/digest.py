"""Digest access authentication (RFC 7616) with MD5 and SHA-256 and `qop=auth`: the hashes and the judgement."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from enum import Enum, auto
from urllib.parse import quote

from attrs import field, frozen

from flexid.domain.digest_header import DigestAnswer

HASHES = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}
CLOCK_SKEW = 60.0
"""Seconds that the clocks of two nodes may differ."""

_NONCE_COUNT = re.compile(r"(?!0{8})[0-9A-Fa-f]{8}")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_NEEDS_NO_ESCAPE = re.compile(r"[A-Za-z0-9._~@:-]")


class Verdict(Enum):
    """What an answer to a challenge is worth."""

    RIGHT = auto()
    """It knows the password. The caller still has to see that its `nc` is new."""
    WRONG = auto()
    """It does not know the password: a failure that counts."""
    STALE = auto()
    """It knows the password, but the nonce is too old."""
    FOREIGN = auto()
    """Its nonce is none of ours for this opaque, client, name and realm."""
    MALFORMED = auto()
    """It does not answer this request, or not in a way that we know."""


@frozen
class Expected:
    """What an answer has to agree with.

    `target` is the request's path with its query, as it came on the wire; `ha1s` the account's hashes by algorithm.
    """

    method: str
    target: str
    username: str
    realm: str
    ha1s: Mapping[str, str] = field(repr=False)


def ha1(algorithm: str, username: str, realm: str, password: str) -> str:
    """Return H(username:realm:password) in lower-case hex (RFC 7616 section 3.4.2, no `-sess`)."""
    return _hash(algorithm, f"{username}:{realm}:{password}")


def expected_response(answer: DigestAnswer, method: str, ha1: str) -> str:
    """Return the response that one who knows the HA1 gives (RFC 7616 section 3.4.1, `qop=auth`)."""
    ha2 = _hash(answer.algorithm, f"{method}:{answer.uri}")
    return _hash(answer.algorithm, f"{ha1}:{answer.nonce}:{answer.nc}:{answer.cnonce}:{answer.qop}:{ha2}")


def judge(answer: DigestAnswer, expected: Expected, unused_for: float | None, lifetime: float) -> Verdict:
    """Return what the answer is worth.

    :param unused_for: seconds since the nonce was issued or last used, None if it is none of ours (see `nonce.age`).
    :param lifetime: seconds for which an unused nonce lives; 0 is for ever.
    """
    if not _is_well_formed(answer, expected):
        return Verdict.MALFORMED
    # A name without a hash of this kind costs the same time as a wrong password.
    response = expected_response(answer, expected.method, expected.ha1s.get(answer.algorithm, ""))
    is_right = hmac.compare_digest(response.encode(), answer.response.encode()) and answer.algorithm in expected.ha1s
    if unused_for is None:
        return Verdict.FOREIGN
    if not is_right:
        return Verdict.WRONG
    if lifetime and not -CLOCK_SKEW <= unused_for <= lifetime:
        return Verdict.STALE
    return Verdict.RIGHT


def _is_well_formed(answer: DigestAnswer, expected: Expected) -> bool:
    return (
        answer.algorithm in HASHES
        and answer.qop == "auth"
        and _NONCE_COUNT.fullmatch(answer.nc) is not None
        and answer.cnonce != ""
        and answer.username == expected.username
        and answer.realm == expected.realm
        and is_same_target(answer.uri, expected.target)
    )


def is_same_target(uri: str, target: str) -> bool:
    """Tell whether a Digest `uri` is the path of the request, with its query or without any.

    Both may be escaped differently, as far as that changes no meaning: letters, digits, `-._~@:` and whatever a URI
    must escape; `%2F` is no slash, `%3F` no question mark, and `%26` no ampersand.
    """
    if uri == target:
        return True
    wanted = _normal(target)
    return _normal(uri) in {wanted, wanted.partition("?")[0]}


def _normal(uri: str) -> str:
    def plain(escape: re.Match[str]) -> str:
        character = chr(int(escape[1], 16))
        return character if _NEEDS_NO_ESCAPE.fullmatch(character) else escape[0].upper()

    return _ESCAPE.sub(plain, quote(uri, safe="%/:?#[]@!$&'()*+,;=~", errors="replace"))


def _hash(algorithm: str, text: str) -> str:
    # Half a surrogate pair comes in JSON and has no UTF-8: it is hashed, not tripped over.
    return HASHES[algorithm](text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()
