"""Another Space beside the tenant's, for tests of what must not pass from one to the other."""

from __future__ import annotations

from typing import Any

from attrs import frozen
from support.application import Application
from support.web import Browser

DOMAIN = "neighbour.example.org"
HOST = "neighbour.localhost"


@frozen
class Neighbour:
    """A Space with an administrator, who has a key, and a user."""

    admin: Browser
    user: dict[str, Any]


async def has_neighbour(app: Application) -> Neighbour:
    """Return a new Space with its accounts."""
    await app.super_admin.post("/api/spaces", {"name": "Neighbour", "domain": DOMAIN, "host": HOST})
    accounts = []
    for name, admin in (("eve", False), ("mallory", True)):
        fields = {"username": name, "password": "some_password", "domain": DOMAIN, "admin": admin}
        accounts.append((await app.super_admin.post("/api/accounts", fields)).json)
    return Neighbour(app.user(accounts[1]).at(HOST), accounts[0])
