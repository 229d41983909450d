"""Account types: words by which applications tell accounts of a Space apart, such as `phone` or `door`."""

from __future__ import annotations

from attrs import frozen

KEY_LENGTH = 64


@frozen
class AccountType:
    """A type; its key is unique in its Space."""

    id: int
    key: str
