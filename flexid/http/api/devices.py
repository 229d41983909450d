"""Devices that are registered: one's own, and those of accounts that one administers."""

from __future__ import annotations

from typing import Any, TypedDict

from flexid.domain.devices import Device
from flexid.http.answers import moment_or_none
from flexid.http.api.whose import OWN, account_of
from flexid.http.call import Call
from flexid.http.routes import ADMIN, USER, Routes

own_routes = Routes("/api/accounts/me/devices", title="Own devices")
account_routes = Routes("/api/accounts/{account_id}/devices", title="Devices of an account")


class DeviceAnswer(TypedDict):
    """A device as it described itself when it registered; what it did not say is null."""

    uuid: str
    update_time: str | None
    user_agent: str | None
    app: str | None
    version: str | None
    device_name: str | None


@own_routes.get(caller=USER)
@account_routes.get(caller=ADMIN)
async def show_all(call: Call[Any], account_id: int = OWN) -> dict[str, DeviceAnswer]:
    """List the devices that are registered with an account by their UUIDs; 503 while Flexisip's registrar is away."""
    devices = await call.services.devices.list_of(call.actor, account_of(call, account_id))
    return {device.uuid: _show(device) for device in devices}


@own_routes.delete("/{uuid}", caller=USER)
@account_routes.delete("/{uuid}", caller=ADMIN)
async def delete(call: Call[Any], uuid: str, account_id: int = OWN) -> int:
    """End the registration of a device until it registers anew; 0 if there is none, 503 while the registrar is away."""
    return await call.services.devices.remove(call.actor, account_of(call, account_id), uuid)


def _show(device: Device) -> DeviceAnswer:
    return DeviceAnswer(
        uuid=device.uuid,
        update_time=moment_or_none(device.updated_at),
        user_agent=device.user_agent,
        app=device.app,
        version=device.version,
        device_name=device.device_name,
    )
