"""Passwords for names that nobody has, so that a challenge does not tell which accounts exist."""

from __future__ import annotations

import hmac
from collections.abc import Mapping

from flexid.domain.passwords import StoredPassword

Proportions = Mapping[tuple[str, ...], float]
"""How often accounts store just these algorithms, in any unit: `{("SHA-256",): 8, ("MD5", "SHA-256"): 1}`."""


def decoy_passwords(key: bytes, username: str, realm: str, proportions: Proportions) -> tuple[StoredPassword, ...]:
    """Return passwords that nobody can know: the same ones whenever the same name is asked for, drawn like real ones.

    :param key: secret of the server, 16 bytes at least.
    :param proportions: at least one.
    """
    draw = int.from_bytes(_secret(key, "draw", username, realm)[:8], "big") / 2**64 * sum(proportions.values())
    drawn = _at(draw, proportions)
    return tuple(StoredPassword(name, _ha1(key, name, username, realm)) for name in drawn)


def _at(draw: float, proportions: Proportions) -> tuple[str, ...]:
    # In a fixed order, so that each node draws alike.
    kinds = sorted(proportions)
    for kind in kinds[:-1]:
        draw -= proportions[kind]
        if draw < 0:
            return kind
    return kinds[-1]


def _ha1(key: bytes, algorithm: str, username: str, realm: str) -> str:
    digits = 32 if algorithm == "MD5" else 64
    return _secret(key, algorithm, username, realm).hex()[:digits]


def _secret(key: bytes, purpose: str, username: str, realm: str) -> bytes:
    message = f"decoy\0{purpose}\0{username}\0{realm}"
    return hmac.digest(key, message.encode("utf-8", "surrogatepass"), "sha256")
