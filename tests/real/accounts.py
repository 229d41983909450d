"""What an administrator prepares for a test."""

from __future__ import annotations

from typing import Any

from support.flexid_process import Caller

PASSWORD = "the_password"


def has_account(space: Caller, username: str, **fields: Any) -> dict[str, Any]:
    """Return a new account of a Space."""
    answer = space.post("/api/accounts", {"username": username, "password": PASSWORD, **fields})
    assert answer.status == 200, answer.text
    account: dict[str, Any] = answer.json
    return account


def change_space(space: Caller, **changes: Any) -> None:
    """Change fields of a Space whose domain is its host."""
    before = space.get(f"/api/spaces/{space.host}").json
    answer = space.put(f"/api/spaces/{space.host}", {**before, **changes})
    assert answer.status == 200, answer.text
