"""vCards that applications store: one's own, and those of accounts that one administers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypedDict

from pydantic import PlainValidator

from flexid.base.text import Text
from flexid.domain.vcard import NotAVCard, StoredVCard, VCard, read
from flexid.http.answers import moment
from flexid.http.api.whose import OWN, account_of
from flexid.http.call import Call
from flexid.http.inputs import LENGTH_OF_TEXT, Input, refuse
from flexid.http.routes import ADMIN, USER, Routes

own_routes = Routes("/api/accounts/me/vcards-storage", title="Own vCards")
account_routes = Routes("/api/accounts/{account_id}/vcards-storage", title="vCards of an account")


def _vcard(value: object) -> VCard:
    if not isinstance(value, str) or "\0" in value:
        raise refuse(Text("It must be text"))
    if len(value) > LENGTH_OF_TEXT:
        raise refuse(Text("It may not be longer than {length} characters", length=LENGTH_OF_TEXT))
    try:
        return read(value)
    except NotAVCard as wrong:
        raise refuse(wrong.reason) from None


class VCardInput(Input):
    """A vCard (RFC 6350 or RFC 2426) with a name and a UID."""

    vcard: Annotated[VCard, PlainValidator(_vcard, json_schema_input_type=str)]


class VCardAnswer(TypedDict):
    """A stored vCard; its lines end in a line feed."""

    vcard: str
    created_at: str
    updated_at: str


async def needs_account(
    call: Call[Any], _: Mapping[str, Any], account_id: int = OWN, uuid: str | None = None
) -> Mapping[str, Sequence[Text]]:
    """Refuse wrong input for an account or a vCard that is not there as if it were right."""
    await call.services.vcards.refuse_unless_there(call.actor, account_of(call, account_id), uuid)
    return {}


@own_routes.get(caller=USER)
@account_routes.get(caller=ADMIN)
async def show_all(call: Call[Any], account_id: int = OWN) -> dict[str, VCardAnswer]:
    """List the vCards of an account by their UIDs, the oldest first."""
    stored = await call.services.vcards.list_of(call.actor, account_of(call, account_id))
    return {each.card.uid: _show(each) for each in stored}


@own_routes.post(caller=USER, input=VCardInput, refusals=needs_account, created=True)
@account_routes.post(caller=ADMIN, input=VCardInput, refusals=needs_account, created=True)
async def add(call: Call[VCardInput], account_id: int = OWN) -> VCardAnswer:
    """Store a vCard; 409 if the account has one of the same UID."""
    return _show(await call.services.vcards.add(call.actor, account_of(call, account_id), call.input.vcard))


@own_routes.get("/{uuid}", caller=USER)
@account_routes.get("/{uuid}", caller=ADMIN)
async def show(call: Call[Any], uuid: str, account_id: int = OWN) -> VCardAnswer:
    """Show the vCard of a UID."""
    return _show(await call.services.vcards.show(call.actor, account_of(call, account_id), uuid))


@own_routes.put("/{uuid}", caller=USER, input=VCardInput, refusals=needs_account)
@account_routes.put("/{uuid}", caller=ADMIN, input=VCardInput, refusals=needs_account)
async def change(call: Call[VCardInput], uuid: str, account_id: int = OWN) -> VCardAnswer:
    """Replace the vCard of a UID by one of the same UID."""
    account_id = account_of(call, account_id)
    return _show(await call.services.vcards.change(call.actor, account_id, uuid, call.input.vcard))


@own_routes.delete("/{uuid}", caller=USER)
@account_routes.delete("/{uuid}", caller=ADMIN)
async def delete(call: Call[Any], uuid: str, account_id: int = OWN) -> int:
    """Delete the vCard of a UID; 404 if there is none."""
    return await call.services.vcards.delete(call.actor, account_of(call, account_id), uuid)


def _show(stored: StoredVCard) -> VCardAnswer:
    return VCardAnswer(
        vcard=stored.card.text, created_at=moment(stored.created_at), updated_at=moment(stored.updated_at)
    )
