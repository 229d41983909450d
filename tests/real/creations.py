"""A load of account creations, and what became of each."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException

from attrs import define, field, frozen
from real.accounts import PASSWORD
from support.flexid_process import Caller

CLIENTS = 4
PER_PAGE = 100


@frozen
class Creation:
    """A request to create an account; times in seconds of the monotonic clock."""

    username: str
    began: float
    ended: float
    status: int | None
    """None: the connection broke."""
    retry_after: str | None

    @property
    def acknowledged(self) -> bool:
        """Whether we were told that the account exists."""
        return self.status == 200


@define
class Creations:
    """Those that have an answer so far, in the order of the answers."""

    space: Caller
    name: str
    done: list[Creation] = field(factory=list)
    _over: threading.Event = field(factory=threading.Event)

    def acknowledged_after(self, moment: float) -> list[Creation]:
        """Return those begun after a moment that went well."""
        return [creation for creation in tuple(self.done) if creation.began > moment and creation.acknowledged]

    def missing(self) -> set[str]:
        """Return the acknowledged accounts that the Space does not have."""
        return {creation.username for creation in self.done if creation.acknowledged} - usernames(self.space)

    def go_on(self, client: int) -> None:
        """Create one account after the other until it is over."""
        number = 0
        while not self._over.is_set():
            number += 1
            self.done.append(self._create(f"{self.name}-{client}-{number}"))

    def end(self) -> None:
        """Let every client finish its request."""
        self._over.set()

    def _create(self, username: str) -> Creation:
        began = time.monotonic()
        try:
            answer = self.space.post("/api/accounts", {"username": username, "password": PASSWORD})
        except (OSError, HTTPException):
            return Creation(username, began, time.monotonic(), None, None)
        return Creation(username, began, time.monotonic(), answer.status, answer.headers["Retry-After"])


@contextmanager
def creating(space: Caller, name: str) -> Iterator[Creations]:
    """Create accounts side by side for as long as the context lasts; when it is left, every request has its end."""
    creations = Creations(space, name)
    clients = [threading.Thread(target=creations.go_on, args=(client,)) for client in range(CLIENTS)]
    for client in clients:
        client.start()
    try:
        yield creations
    finally:
        creations.end()
        for client in clients:
            client.join()


def usernames(space: Caller) -> set[str]:
    """Return the names of all accounts of a Space."""
    path: str | None = f"/api/accounts?per_page={PER_PAGE}"
    names = set[str]()
    while path:
        page = space.get(path).json
        names |= {account["username"] for account in page["data"]}
        path = page["next_page_url"] and page["next_page_url"].partition(space.authority)[2]
    return names
