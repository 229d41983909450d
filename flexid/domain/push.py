"""Push notifications, which wake applications on phones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import orjson
from attrs import field, frozen

PROVIDERS = ("apns.dev", "apns", "fcm")
Kind = Literal["background", "message", "call"]
KINDS: tuple[Kind, ...] = ("background", "message", "call")
APPLE_TYPES = {"background": "Background", "message": "RemoteWithMutableContent", "call": "PushKit"}


@frozen
class PushTarget:
    """One application on one device (RFC 8599): the service that reaches it, the application, the device."""

    provider: str
    param: str | None
    prid: str | None = field(repr=False)


@frozen
class Push:
    """A notification; a `token` goes along in it."""

    target: PushTarget
    kind: Kind = "background"
    token: str | None = field(default=None, repr=False)
    call_id: str | None = None

    def arguments(self, keys: Mapping[str, str]) -> list[str]:
        """Return what flexisip_pusher is called with; `keys` are those of Firebase projects."""
        target = self.target
        options = {
            "--pn-provider": target.provider,
            "--pn-param": target.param,
            "--pn-prid": target.prid,
            "--customPayload": orjson.dumps({"token": self.token}).decode() if self.token else None,
            "--call-id": self.call_id,
            "--apple-push-type": APPLE_TYPES[self.kind] if target.provider != "fcm" else None,
            "--key": keys.get(target.param) if target.provider == "fcm" and target.param else None,
        }
        return [part for option, value in options.items() if value is not None for part in (option, value)]
