"""Flexisip's registrar in Redis."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from attrs import define, field
from twisted.logger import Logger

from flexid.base.text import Text
from flexid.domain import devices
from flexid.domain.devices import Device
from flexid.domain.errors import Unavailable
from flexid.outbound.redis import Redis, RedisTrouble

B2BUA = "flexisip/B2BUA/account"
"""The channel on which the B2BUA hears of external accounts."""
QUIET = 10.0
"""Seconds between two lines of the log that say the same: many may ask while Redis is away."""
UNAVAILABLE = Text("The list of devices cannot be reached at the moment")


@define
class RedisRegistrar:
    """The hash `fs:<user>@<domain>` has a field for each contact; who watches it listens on `<user>@<domain>`."""

    log = Logger()

    redis: Redis
    _quiet_until: float = field(default=0.0, init=False)

    def is_configured(self) -> bool:
        """Say yes."""
        return True

    async def devices(self, address: str, patience: float | None = None) -> list[Device]:
        """Read the hash; what is no contact is passed over."""
        found = sorted(filter(None, (await self._contacts(address, patience)).values()), key=_age)
        # Of two that call themselves the same, the later one counts.
        return sorted({device.uuid: device for device in found}.values(), key=_age, reverse=True)

    async def remove(self, address: str, uuid: str) -> int:
        """Delete the fields of a device."""
        uuid = devices.bare(uuid)
        contacts = await self._contacts(address)
        fields = {field for field, device in contacts.items() if device and device.uuid == uuid}
        deleted = int(await self._run("HDEL", f"fs:{address}", *fields, f'"<{uuid}>"'))
        if deleted:
            await self._publish(address)
        return deleted

    async def forget(self, address: str, before: int | None = None) -> None:
        """Delete the hash, as Flexisip does for `Contact: *`, or the fields of what has not registered since."""
        if before is None:
            await self._run("DEL", f"fs:{address}")
        else:
            contacts = await self._contacts(address)
            old = [field for field, device in contacts.items() if _age(device) < before]
            if old:
                await self._run("HDEL", f"fs:{address}", *old)
        # Told again at every attempt: a first one may have got no further than deleting.
        await self._publish(address)

    async def tell_b2bua(self, notice: Mapping[str, str]) -> None:
        """Publish the notice as JSON."""
        await self._run("PUBLISH", B2BUA, json.dumps(dict(notice)))

    async def stop(self) -> None:
        """Close the connection."""
        self.redis.close()

    async def _contacts(self, address: str, patience: float | None = None) -> dict[bytes, Device | None]:
        """Return what each field holds, None for what is no contact."""
        flat: list[bytes] = await self._run("HGETALL", f"fs:{address}", patience=patience)
        return {field: devices.read(field, value) for field, value in zip(flat[::2], flat[1::2], strict=True)}

    async def _publish(self, address: str) -> None:
        await self._run("PUBLISH", address, "")

    async def _run(self, *command: str | bytes, patience: float | None = None) -> Any:
        try:
            return await self.redis.run(*command, patience=patience)
        except RedisTrouble as trouble:
            self._warn(trouble)
            raise Unavailable(UNAVAILABLE) from None

    def _warn(self, trouble: RedisTrouble) -> None:
        now = self.redis.reactor.seconds()
        if now >= self._quiet_until:
            self._quiet_until = now + QUIET
            self.log.warn(
                "Redis at {address}: {trouble}",
                event="redis.away",
                address=str(self.redis.address),
                trouble=str(trouble),
            )


def _age(device: Device | None) -> float:
    """Return when a device was last heard of, in seconds since 1970."""
    return device.updated_at.timestamp() if device and device.updated_at else 0.0
