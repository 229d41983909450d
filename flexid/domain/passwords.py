"""Passwords as they are stored: as the HA1 of SIP's Digest, because Flexisip reads them so."""

from __future__ import annotations

import hmac

from attrs import field, frozen

from flexid.domain import digest

ALGORITHMS = tuple(digest.HASHES)
"""The hashes that a password may be stored with."""


@frozen
class StoredPassword:
    """The hash of a password, with what it was made by; the hash is a secret as good as the password."""

    algorithm: str
    ha1: str = field(repr=False)


def hash_password(algorithm: str, username: str, realm: str, password: str) -> StoredPassword:
    """Return what is stored of a password; it holds for this name and realm only."""
    return StoredPassword(algorithm, digest.ha1(algorithm, username, realm, password))


def matches(stored: StoredPassword, username: str, realm: str, password: str) -> bool:
    """Tell whether it is the password that was stored, in constant time."""
    given = digest.ha1(stored.algorithm, username, realm, password)
    return hmac.compare_digest(given.encode(), stored.ha1.encode())
