"""How everything is that flexid needs beside its database; all of it may be away, and requests go on."""

from __future__ import annotations

import os
from datetime import datetime

from attrs import define, evolve, field

from flexid.base.clock import Clock
from flexid.base.settings import Settings
from flexid.domain.conditions import Condition
from flexid.domain.errors import Unavailable
from flexid.outbound.outside import Outside
from flexid.services.messages import Messages
from flexid.store import queue_lengths
from flexid.store.database import Database

PATIENCE = 1.0
"""Seconds for Redis to answer."""
NOBODY = "nobody@invalid"
"""An address that nobody registers (RFC 6761, 6.4)."""
CHANNELS = {"mail": "mail server", "sms": "SMS provider"}


@define
class Conditions:
    """Looks now and then, and remembers what it saw."""

    database: Database
    clock: Clock
    settings: Settings
    messages: Messages
    outside: Outside
    latest: dict[str, Condition] = field(factory=dict, init=False)
    """By what it is called in English."""

    async def look(self) -> dict[str, Condition]:
        """Look at everything.

        :raise Unavailable: the database is away, from which some of it is known.
        """
        seen = {
            "Redis": await self._redis(),
            "SIP daemon": await self._daemon(),
            "pusher": self._pusher(),
            **await self._carriers(),
        }
        for name, condition in seen.items():
            before = self.latest.get(name)
            if condition.since is None:
                same = before is not None and before.state == condition.state
                seen[name] = evolve(condition, since=before.since if before and same else self.clock.now())
        self.latest = seen
        return seen

    def away(self) -> dict[str, str]:
        """Return what was not well at the last look, with what is known of it."""
        return {name: seen.says for name, seen in self.latest.items() if seen.state in {"away", "held"}}

    async def _redis(self) -> Condition:
        registrar = self.outside.registrar
        if not registrar.is_configured():
            return Condition("unused")
        try:
            await registrar.devices(NOBODY, PATIENCE)
        except Unavailable as error:
            return Condition("away", str(error))
        return Condition("well")

    async def _daemon(self) -> Condition:
        if not self.settings.daemon.socket:
            return Condition("unused")
        report = await self.messages.daemon()
        if report is None:
            return Condition("away", "no process of flexid has its socket")
        if report.state == "connected":
            return Condition("well", since=report.since)
        if report.state == "busy":
            return Condition("held", "another client is connected to it", report.since)
        return Condition("away", report.error or "connecting", report.since)

    def _pusher(self) -> Condition:
        path = self.settings.pusher.path
        if not path:
            return Condition("unused")
        return Condition("well") if os.access(path, os.X_OK) else Condition("away", f"{path} cannot be run")

    async def _carriers(self) -> dict[str, Condition]:
        troubles = {row["channel"]: row for row in await queue_lengths.troubles(self.database)}
        return {name: _of_channel(troubles.get(channel)) for channel, name in CHANNELS.items()}


def _of_channel(trouble: dict[str, object] | None) -> Condition:
    if trouble is None:
        return Condition("well")
    since = trouble["since"]
    says = f"{trouble['items']} wait, the last one because: {trouble['error']}"
    return Condition("away", says, since if isinstance(since, datetime) else None)
