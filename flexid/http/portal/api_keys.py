"""API keys of a Space's administrators."""

from __future__ import annotations

from typing import Annotated, Any

from flexid.base.text import Text
from flexid.http.answers import Answer
from flexid.http.call import Call
from flexid.http.inputs import Input, IpAddress, Line64, WholeNumber, between
from flexid.http.pages import go, page
from flexid.http.routes import ADMIN, Routes

routes = Routes("/admin/api_keys", title="API keys", portal=True)

LONGEST_MINUTES = 10 * 366 * 24 * 60


class KeyForm(Input):
    """A new key: what it is called, the one address from which it works, and when it dies of disuse."""

    name: Line64
    ip: IpAddress | None = None
    expires_after_last_used_minutes: Annotated[WholeNumber, between(0, LONGEST_MINUTES)] = 0


@routes.get(caller=ADMIN)
async def show(call: Call[Any]) -> Answer:
    """List the keys, and offer to make one."""
    return await _page(call)


@routes.post(caller=ADMIN, input=KeyForm, again=show)
async def create(call: Call[KeyForm]) -> Answer:
    """Make a key for whoever is signed in, and show it this once."""
    given = call.input
    key = await call.services.api_keys.add_admin_key(
        call.actor.account_id, given.name, given.ip, given.expires_after_last_used_minutes
    )
    return await _page(call, key, given.name)


@routes.get("/{key_id}/delete", caller=ADMIN)
async def ask(call: Call[Any], key_id: int) -> Answer:
    """Ask whether a key is really to be deleted."""
    return page(call, "admin_api_keys/delete.html", key=await call.services.api_keys.show_admin_key(call.space, key_id))


@routes.delete("/{key_id}", caller=ADMIN)
async def delete(call: Call[Any], key_id: int) -> Answer:
    """Delete a key."""
    key = await call.services.api_keys.show_admin_key(call.space, key_id)
    await call.services.api_keys.delete_admin_key(call.space, key_id)
    return await go(
        call, "/admin/api_keys", Text("The key {name} is deleted: it opens nothing any more.", name=key.name)
    )


async def _page(call: Call[Any], key: str | None = None, key_name: str | None = None) -> Answer:
    keys = await call.services.api_keys.admin_keys(call.space)
    return page(call, "admin_api_keys/page.html", keys=keys, key=key, key_name=key_name)
