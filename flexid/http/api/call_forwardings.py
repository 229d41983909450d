"""Call forwardings: one's own, and those of accounts that one administers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypedDict

from pydantic import Field, ValidationInfo, field_validator

from flexid.base.text import Text
from flexid.domain.call_forwardings import TARGETS, TYPES, CallForwarding, NewCallForwarding
from flexid.http.answers import moment
from flexid.http.api.sip_uris import SipUri
from flexid.http.api.whose import OWN, account_of
from flexid.http.call import Call
from flexid.http.inputs import AnyText, Flag, Input, WholeNumber, one_of, refuse
from flexid.http.routes import ADMIN, USER, Routes

own_routes = Routes("/api/accounts/me/call_forwardings", title="Own call forwardings")
account_routes = Routes("/api/accounts/{account_id}/call_forwardings", title="Call forwardings of an account")

NEEDED = {"sip_uri": "sip_uri", "contact_id": "contact"}
"""Which target needs which field."""


class ForwardingInput(Input):
    """When calls are forwarded, and where to: a SIP URI or one of the account's contacts has to be named."""

    type: Annotated[AnyText, one_of(*TYPES)]
    forward_to: Annotated[AnyText, one_of(*TARGETS)]
    enabled: Flag = False
    sip_uri: Annotated[SipUri | None, Field(validate_default=True)] = None
    contact_id: Annotated[WholeNumber | None, Field(validate_default=True)] = None

    @field_validator(*NEEDED)
    @classmethod
    def _is_there(cls, value: str | int | None, info: ValidationInfo) -> str | int | None:
        name = info.field_name or ""
        if value is None and info.data.get("forward_to") == NEEDED[name]:
            raise refuse(Text("The {field} field is required.", field=name.replace("_", " ")))
        return value

    def value(self) -> NewCallForwarding:
        """Return what is wanted, without what its target does not need."""
        return NewCallForwarding(
            self.type,
            self.forward_to,
            self.sip_uri if self.forward_to == "sip_uri" else None,
            self.contact_id if self.forward_to == "contact" else None,
            self.enabled,
        )


class ForwardingAnswer(TypedDict):
    """A call forwarding."""

    id: int
    type: str
    forward_to: str
    sip_uri: str | None
    enabled: bool
    contact_id: int | None
    contact_sip_uri: str | None
    created_at: str
    updated_at: str


async def further_faults(
    call: Call[Any], values: Mapping[str, Any], account_id: int = OWN, forwarding_id: int | None = None
) -> Mapping[str, Sequence[Text]]:
    """Return what the account's other call forwardings have against the readable fields."""
    account_id = account_of(call, account_id)
    return await call.services.call_forwardings.refuse_type(call.actor, account_id, forwarding_id, values.get("type"))


@own_routes.get(caller=USER)
@account_routes.get(caller=ADMIN)
async def show_all(call: Call[Any], account_id: int = OWN) -> list[ForwardingAnswer]:
    """List the call forwardings of an account, the newest first."""
    known = await call.services.call_forwardings.list_of(call.actor, account_of(call, account_id))
    return [_show(each) for each in known]


@own_routes.post(caller=USER, input=ForwardingInput, refusals=further_faults, created=True)
@account_routes.post(caller=ADMIN, input=ForwardingInput, refusals=further_faults, created=True)
async def add(call: Call[ForwardingInput], account_id: int = OWN) -> ForwardingAnswer:
    """Add a call forwarding: one of each type, and while `always` is enabled none of the others."""
    account_id = account_of(call, account_id)
    return _show(await call.services.call_forwardings.add(call.actor, account_id, call.input.value()))


@own_routes.get("/{forwarding_id}", caller=USER)
@account_routes.get("/{forwarding_id}", caller=ADMIN)
async def show(call: Call[Any], forwarding_id: int, account_id: int = OWN) -> ForwardingAnswer:
    """Show a call forwarding."""
    account_id = account_of(call, account_id)
    return _show(await call.services.call_forwardings.show(call.actor, account_id, forwarding_id))


@own_routes.put("/{forwarding_id}", caller=USER, input=ForwardingInput, refusals=further_faults)
@account_routes.put("/{forwarding_id}", caller=ADMIN, input=ForwardingInput, refusals=further_faults)
async def change(call: Call[ForwardingInput], forwarding_id: int, account_id: int = OWN) -> ForwardingAnswer:
    """Replace a call forwarding."""
    account_id, wanted = account_of(call, account_id), call.input.value()
    return _show(await call.services.call_forwardings.change(call.actor, account_id, forwarding_id, wanted))


@own_routes.delete("/{forwarding_id}", caller=USER)
@account_routes.delete("/{forwarding_id}", caller=ADMIN)
async def delete(call: Call[Any], forwarding_id: int, account_id: int = OWN) -> int:
    """Delete a call forwarding."""
    account_id = account_of(call, account_id)
    return await call.services.call_forwardings.delete(call.actor, account_id, forwarding_id)


def _show(forwarding: CallForwarding) -> ForwardingAnswer:
    return ForwardingAnswer(
        id=forwarding.id,
        type=forwarding.type,
        forward_to=forwarding.forward_to,
        sip_uri=forwarding.sip_uri,
        enabled=forwarding.enabled,
        contact_id=forwarding.contact_id,
        contact_sip_uri=forwarding.contact_sip_uri,
        created_at=moment(forwarding.created_at),
        updated_at=moment(forwarding.updated_at),
    )
