"""SIP messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypedDict

from pydantic import Field, PlainValidator, WithJsonSchema

from flexid.base.text import Text
from flexid.domain.errors import NotFound
from flexid.domain.message import Message, Outgoing, recipient
from flexid.domain.sip_address import SipAddress
from flexid.http import answers
from flexid.http.answers import Answer, moment, moment_or_none
from flexid.http.call import Call
from flexid.http.inputs import LENGTH_OF_ADDRESS, AnyText, Flag, Input, WholeNumber, between, refuse
from flexid.http.routes import ADMIN, Routes

routes = Routes("/api/messages", title="SIP messages")

DAY = 24 * 60 * 60
LONGEST_WAIT = 7 * DAY


def _recipient(value: object) -> SipAddress:
    found = recipient(value) if isinstance(value, str) and len(value) <= LENGTH_OF_ADDRESS else None
    if found is None:
        raise refuse(Text("It must be a SIP address such as alice@sip.example.org"))
    return found


class SipMessageInput(Input):
    """A message to send."""

    to: Annotated[
        SipAddress,
        PlainValidator(_recipient),
        WithJsonSchema({"type": "string", "maxLength": LENGTH_OF_ADDRESS, "examples": ["sip:bob@sip.example.org"]}),
    ]
    body: AnyText
    queue: Annotated[Flag, Field(description="whether it may wait until the SIP daemon is back")] = False
    expires_in: Annotated[
        WholeNumber, between(1, LONGEST_WAIT), Field(description="seconds after which it waits no longer")
    ] = DAY


class SentMessageAnswer(TypedDict):
    """A message that was handed over."""

    id: str


class WaitingMessageAnswer(TypedDict):
    """A message that waits, or of which it is not known whether it was sent."""

    id: str
    state: str


class SipMessageAnswer(TypedDict):
    """What became of a message."""

    id: str
    to: str
    state: str
    error: str | None
    created_at: str
    sent_at: str | None
    delivered_at: str | None


async def is_configured(call: Call[Any], _: Mapping[str, Any]) -> None:
    """Refuse where there is no daemon.

    :raise NotFound: there is none.
    """
    if not call.services.messages.is_configured:
        raise NotFound(Text("The route could not be found."))


async def faults(call: Call[Any], fields: Mapping[str, str]) -> Mapping[str, Sequence[Text]]:
    """Return what only the settings and the Spaces tell, where another field is wrong."""
    address = recipient(fields.get("to", ""))
    return await call.services.messages.faults(call.actor, address, fields.get("body"))


@routes.post(
    caller=ADMIN,
    input=SipMessageInput,
    first=is_configured,
    refusals=faults,
    answers={200: SentMessageAnswer, 202: WaitingMessageAnswer},
)
async def send(call: Call[SipMessageInput]) -> Answer:
    """Send a SIP MESSAGE: 200 with its Call-ID once it is on its way.

    202 if it waits, which it may with `queue`, or if nobody knows whether it was sent: then its `state` is `unknown`,
    and it is not sent again. 503 if it cannot be sent; then nothing is kept. 404 where no SIP daemon is configured.
    """
    given = call.input
    outgoing = Outgoing(given.to, given.body, given.expires_in if given.queue else None)
    message = await call.services.messages.send(call.space, call.actor, outgoing)
    if message.call_id is not None:
        return answers.json(SentMessageAnswer(id=message.call_id))
    return answers.json(WaitingMessageAnswer(id=str(message.id), state=message.state), 202)


@routes.get("/{message_id}", caller=ADMIN, first=is_configured)
async def show(call: Call[Any], message_id: str) -> SipMessageAnswer:
    """Tell what became of a message, by the id that sending it answered, or by its Call-ID."""
    domain = None if call.actor.super_admin else call.space.domain
    return _shown(message_id, await call.services.messages.show(message_id, domain))


def _shown(asked: str, message: Message) -> SipMessageAnswer:
    return SipMessageAnswer(
        id=asked,
        to=message.recipient,
        state=message.state,
        error=message.error,
        created_at=moment(message.created_at),
        sent_at=moment_or_none(message.sent_at),
        delivered_at=moment_or_none(message.delivered_at),
    )
