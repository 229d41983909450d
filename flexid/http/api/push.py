"""Push notifications: tokens in them for applications, and waking these."""

from __future__ import annotations

import re
from typing import Annotated, Any, cast

from pydantic import AfterValidator, Field

from flexid.base.text import Text
from flexid.domain.push import KINDS, PROVIDERS, Kind, Push, PushTarget
from flexid.http.call import Call
from flexid.http.inputs import AnyText, Input, Text255, longest, one_of, refuse
from flexid.http.routes import PUBLIC, USER, Routes

routes = Routes("/api", title="Push notifications")

PARAM = r"[\w.]+"
PRID = r"[\w\-:]+"
CALL_ID = r"[\w\-~@.]+"
LONGEST_PRID = 1024
"""A few hundred characters are usual."""


def _made_of(pattern: str, reason: Text) -> AfterValidator:
    compiled = re.compile(pattern, re.ASCII)

    def check(value: str) -> str:
        if not compiled.fullmatch(value):
            raise refuse(reason)
        return value

    return AfterValidator(check)


Provider = Annotated[Text255, one_of(*PROVIDERS)]
Param = Annotated[
    Text255,
    _made_of(PARAM, Text("It may contain letters, digits, dots and underscores only")),
    Field(json_schema_extra={"pattern": f"^{PARAM}$"}),
]
Prid = Annotated[
    AnyText,
    longest(LONGEST_PRID),
    _made_of(PRID, Text("It may contain letters, digits, dashes, underscores and colons only")),
    Field(json_schema_extra={"pattern": f"^{PRID}$"}),
]
CallId = Annotated[
    Text255,
    _made_of(CALL_ID, Text("It contains characters that are not allowed")),
    Field(json_schema_extra={"pattern": f"^{CALL_ID}$"}),
]


class TargetInput(Input):
    """An application on a device, by the parameters of RFC 8599."""

    pn_provider: Provider
    pn_param: Param | None = None
    pn_prid: Prid | None = None

    def target(self) -> PushTarget:
        """Return whom a notification is for."""
        return PushTarget(self.pn_provider, self.pn_param, self.pn_prid)


class NotificationInput(TargetInput):
    """What wakes an application, and for which call."""

    type: Annotated[Text255, one_of(*KINDS)]
    call_id: CallId | None = None


@routes.post("/account_creation_tokens/send-by-push", caller=PUBLIC, input=TargetInput)
async def send_creation_token(call: Call[TargetInput]) -> None:
    """Send an application a token that lets it create one account."""
    await call.services.push_tokens.send(call.space, "creation", call.input.target(), call.origin)


@routes.post("/account_recovery_tokens/send-by-push", caller=PUBLIC, input=TargetInput)
async def send_recovery_token(call: Call[TargetInput]) -> None:
    """Send an application a token that lets its user recover an account."""
    await call.services.push_tokens.send(call.space, "recovery", call.input.target(), call.origin)


@routes.post("/push_notification", caller=USER, input=NotificationInput)
async def notify(call: Call[Any]) -> None:
    """Wake an application on a device."""
    given: NotificationInput = call.input
    push = Push(given.target(), cast("Kind", given.type), call_id=given.call_id)
    await call.services.push_tokens.notify(push)
