"""Accounts from a CSV file: uploaded, checked, and then, if nothing is wrong with it, created."""

from __future__ import annotations

from typing import Any

from pydantic import InstanceOf

from flexid.base.text import Text
from flexid.domain.account_imports import COLUMNS
from flexid.domain.errors import Unavailable
from flexid.http.answers import Answer
from flexid.http.bodies import LargeFile
from flexid.http.call import Call
from flexid.http.inputs import Input, Text255, WholeNumber
from flexid.http.pages import go, page
from flexid.http.portal.account_creation import chosen_space
from flexid.http.routes import ADMIN, Routes

routes = Routes("/admin/accounts/import", title="Import of accounts", portal=True)

REFRESH_SECONDS = 2
GONE = Text("This file waits no longer: upload it again")
BUSY = Text("Your last file is still being worked on")


class FileForm(Input):
    """A file of accounts, and the Space that they go to."""

    file: InstanceOf[LargeFile]
    domain: Text255 | None = None


class ConfirmationForm(Input):
    """Which file is meant."""

    id: WholeNumber


@routes.get(caller=ADMIN)
async def show(call: Call[Any]) -> Answer:
    """Ask for a file, or tell how the one stands that was uploaded; the page loads itself anew while that changes."""
    found = await call.services.account_imports.find(_session(call))
    headers = {"Refresh": str(REFRESH_SECONDS)} if found and found.is_running else None
    return page(
        call,
        "admin_accounts/import.html",
        headers=headers,
        found=found,
        columns=",".join(COLUMNS.values()),
        least=call.settings.accounts.password_min_length,
        largest=call.settings.limits.max_import_size,
        spaces=await call.services.spaces.every() if call.actor.super_admin else [],
    )


@routes.post(caller=ADMIN, input=FileForm, again=show, large=True)
async def check(call: Call[FileForm]) -> Answer:
    """Begin to check a file."""
    space = await chosen_space(call, call.input.domain)
    made_by = call.origin.user_agent or space.name
    given = call.input.file
    with given.file as file:
        try:
            await call.services.account_imports.check(
                space, _session(call), file.fileno(), given.size, "csv", call.origin, made_by=made_by
            )
        except Unavailable:
            return await go(call, routes.prefix, BUSY, "warn")
    return await go(call, routes.prefix)


@routes.post("/confirm", caller=ADMIN, input=ConfirmationForm)
async def write(call: Call[ConfirmationForm]) -> Answer:
    """Begin to create the accounts of a file that was checked."""
    is_waiting = await call.services.account_imports.write(_session(call), call.input.id, "csv")
    return await go(call, routes.prefix, None if is_waiting else GONE, "warn")


@routes.post("/drop", caller=ADMIN)
async def drop(call: Call[Any]) -> Answer:
    """Forget a file; one that is being worked on is not forgotten."""
    await call.services.account_imports.drop(_session(call))
    return await go(call, routes.prefix)


def _session(call: Call[Any]) -> str:
    if call.visit.session_id is None:
        raise TypeError("administrators of the portal have a session")
    return call.visit.session_id
