"""Codes that go to an email address or phone number and are typed by whoever reads them there."""

from __future__ import annotations

import hmac

from flexid.base.settings import Lifetimes
from flexid.base.text import Text
from flexid.domain.errors import Expired, NotFound
from flexid.domain.tokens import AddressKind
from flexid.store import change_codes
from flexid.store.query import Runner

CODE_LENGTH = 4
MOST_ATTEMPTS = 3
WRONG = Text("The code should be valid")
NOTHING_PENDING = Text("No change is pending")
TOO_OLD = Text("The code has expired")


async def confirmed_address(
    transaction: Runner, kind: AddressKind, account_id: int, code: str, lifetimes: Lifetimes
) -> str | None:
    """Return the address that a code came to, None if the code is wrong.

    The transaction has locked the account, in the order in which requests for codes lock; a wrong code is counted, so
    it has to be committed.

    :raise NotFound: no change is pending, or its code was guessed at too often.
    :raise Expired: the code is too old.
    """
    minutes = lifetimes.email_code if kind == "email" else lifetimes.phone_code
    tried = await change_codes.attempt(transaction, kind, account_id, minutes, MOST_ATTEMPTS)
    if tried is None:
        raise NotFound(NOTHING_PENDING)
    if tried.expired:
        raise Expired(TOO_OLD)
    is_right = is_same(tried.code, code)
    if is_right or tried.attempts >= MOST_ATTEMPTS:
        await change_codes.void(transaction, kind, tried.id)
    return tried.address if is_right else None


def is_same(code: str, typed: str) -> bool:
    """Tell whether a code was typed, in constant time."""
    return hmac.compare_digest(code.encode(), typed.encode())
