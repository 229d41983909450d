"""Devices that are registered: one's own, and the forms that remove them from other accounts too."""

from __future__ import annotations

from typing import Any

from flexid.base.text import Text
from flexid.domain.account import Account
from flexid.domain.devices import Device
from flexid.domain.errors import NotFound, Unavailable
from flexid.http.answers import Answer
from flexid.http.call import Call
from flexid.http.inputs import AnyText, Input
from flexid.http.pages import go, page
from flexid.http.portal.account_page import list_of, path_of
from flexid.http.routes import ADMIN, USER, Routes

routes = Routes("/devices", title="Own devices", portal=True)
account_routes = Routes("/admin/accounts/{account_id}/devices", title="Devices of an account", portal=True)


class DeviceForm(Input):
    """Which device is meant: its name may hold what no path can; nobody has one without a name."""

    uuid: AnyText = ""


@routes.get(caller=USER)
async def show(call: Call[Any]) -> Answer:
    """List the devices of whoever is signed in."""
    account = await call.services.own_account.show(call.actor)
    return page(call, "devices/page.html", devices=await call.services.devices.on_page(account))


@routes.get("/delete", caller=USER)
async def ask(call: Call[Any]) -> Answer:
    """Ask whether the device in the query is really to be removed."""
    return await _ask(call, await call.services.own_account.show(call.actor), "/devices", "/devices", is_own=True)


@routes.delete(caller=USER, input=DeviceForm)
async def delete(call: Call[DeviceForm]) -> Answer:
    """Remove one's own device."""
    return await _remove(call, call.actor.account_id, "/devices")


@account_routes.get("/delete", caller=ADMIN)
async def ask_of_account(call: Call[Any], account_id: int) -> Answer:
    """Ask whether the device in the query is really to be removed from an account."""
    account = await call.services.accounts.show(call.actor, account_id)
    return await _ask(call, account, f"{path_of(account_id)}/devices", _card_of(account_id), is_own=False)


@account_routes.delete(caller=ADMIN, input=DeviceForm)
async def delete_of_account(call: Call[DeviceForm], account_id: int) -> Answer:
    """Remove a device from an account."""
    return await _remove(call, account_id, _card_of(account_id))


async def _ask(call: Call[Any], account: Account, path: str, keep: str, *, is_own: bool) -> Answer:
    uuid = call.query("uuid") or ""
    devices = await call.services.devices.on_page(account)
    # While nobody knows, it may be there.
    device = Device(uuid) if devices is None else next((each for each in devices if each.uuid == uuid), None)
    if not uuid or device is None:
        raise NotFound
    return page(
        call,
        "devices/delete.html",
        device=device,
        path=path,
        keep=keep,
        is_own=is_own,
        account=account,
        account_path=path_of(account.id),
        list_path=list_of(call, account),
    )


async def _remove(call: Call[DeviceForm], account_id: int, back: str) -> Answer:
    try:
        removed = await call.services.devices.remove(call.actor, account_id, call.input.uuid)
    except Unavailable as away:
        return await go(call, back, away.reason, "bad")
    if not removed:
        return await go(call, back, Text("This device was no longer registered."), "info")
    return await go(call, back, Text("The device is removed."))


def _card_of(account_id: int) -> str:
    return f"{path_of(account_id)}#devices-title"
