"""Voicemails: slots that a recorder opens and fills, and where what they hold is fetched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypedDict

from flexid.base.text import Text
from flexid.domain.errors import Invalid
from flexid.domain.voicemails import CONTENT_TYPES, NO_FILE, Voicemail
from flexid.http.answers import moment, moment_or_none
from flexid.http.api.sip_uris import SipUri
from flexid.http.api.whose import OWN, account_of
from flexid.http.call import Call
from flexid.http.inputs import AnyText, Input, one_of
from flexid.http.routes import ADMIN, USER, Routes
from flexid.services.uploads import Upload

own_routes = Routes("/api/accounts/me/voicemails", title="Own voicemails")
account_routes = Routes("/api/accounts/{account_id}/voicemails", title="Voicemails of an account")
file_routes = Routes("/api/files", title="Files")


class SlotInput(Input):
    """What is going to be uploaded, and from whom it is."""

    content_type: Annotated[AnyText, one_of(*CONTENT_TYPES)]
    sip_from: SipUri | None = None


class VoicemailAnswer(TypedDict):
    """A voicemail; its slot waits for the upload as long as `uploaded_at` is null."""

    id: str
    name: str | None
    size: int | None
    content_type: str
    sip_from: str | None
    uploaded_at: str | None
    created_at: str
    download_url: str | None


class SlotAnswer(VoicemailAnswer):
    """A new slot: where its file is to be uploaded, and how many bytes that may have."""

    upload_url: str
    max_upload_size: int


async def further_faults(
    call: Call[Any], _values: Mapping[str, Any], account_id: int = OWN
) -> Mapping[str, Sequence[Text]]:
    """Return what stands against a slot whose fields are wrong already."""
    return await call.services.voicemails.faults(call.actor, account_of(call, account_id))


async def begin_upload(call: Call[Any], uuid: str) -> Upload:
    """Begin to fill a slot."""
    return await call.services.uploads.begin(call.actor, uuid)


@own_routes.get(caller=USER)
async def show_all(call: Call[Any]) -> list[VoicemailAnswer]:
    """List one's own voicemails, the newest first."""
    known = await call.services.voicemails.list_of(call.actor, call.actor.account_id)
    return [_show(call, each) for each in known]


@own_routes.get("/{uuid}", caller=USER)
async def show(call: Call[Any], uuid: str) -> VoicemailAnswer:
    """Show a voicemail of one's own."""
    return _show(call, await call.services.voicemails.show(call.actor, call.actor.account_id, uuid))


@own_routes.post(caller=USER, input=SlotInput, refusals=further_faults, created=True)
@account_routes.post(caller=ADMIN, input=SlotInput, refusals=further_faults, created=True)
async def open_slot(call: Call[SlotInput], account_id: int = OWN) -> SlotAnswer:
    """Open a slot for a voicemail, to be filled by one upload.

    The account needs an email address, where it is told of the voicemail. Slots that nobody fills are deleted after a
    day; 429 while too many wait.
    """
    given = call.input
    account_id = account_of(call, account_id)
    slot = await call.services.voicemails.open(call.actor, account_id, given.content_type, given.sip_from)
    return SlotAnswer(
        **_show(call, slot),
        upload_url=f"{call.peer.base_url}{file_routes.prefix}/{slot.id}",
        max_upload_size=call.services.uploads.max_size,
    )


@own_routes.delete("/{uuid}", caller=USER)
@account_routes.delete("/{uuid}", caller=ADMIN)
async def delete(call: Call[Any], uuid: str, account_id: int = OWN) -> int:
    """Delete a voicemail with its file, or an open slot."""
    return await call.services.voicemails.delete(call.actor, account_of(call, account_id), uuid)


@file_routes.post("/{uuid}", caller=ADMIN, upload=begin_upload)
async def fill(call: Call[Any], uuid: str) -> VoicemailAnswer:  # noqa: ARG001  # `begin_upload` has seen to it
    """Fill the slot of a voicemail with the part `file` of a form, once.

    Its content has to be of the type that the slot was opened for, else 422: a WAVE file, or Opus in Ogg. Then a mail
    tells the account's owner where to hear it. 404 for a slot that is filled.
    """
    received = call.received
    if received is None or received.name is None:
        raise Invalid.field("file", NO_FILE)
    return _show(call, await received.upload.fill(received.name, call.language))


def _show(call: Call[Any], voicemail: Voicemail) -> VoicemailAnswer:
    return VoicemailAnswer(
        id=voicemail.id,
        name=voicemail.name,
        size=voicemail.size,
        content_type=voicemail.content_type,
        sip_from=voicemail.sip_from,
        uploaded_at=moment_or_none(voicemail.uploaded_at),
        created_at=moment(voicemail.created_at),
        download_url=voicemail.path and f"{call.peer.base_url}{voicemail.path}",
    )
