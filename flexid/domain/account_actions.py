"""Account actions: what a caller may make an account do by sending DTMF codes, such as opening a door."""

from __future__ import annotations

from attrs import frozen


@frozen
class AccountAction:
    """What is done, and the code to dial for it."""

    id: int
    key: str
    code: str
