"""Statistics of calls and messages, as Flexisip writes them."""

from __future__ import annotations

from typing import Annotated, Any, TypedDict

from attrs import asdict
from pydantic import Field

from flexid.base.text import Text
from flexid.domain import statistics
from flexid.domain.errors import Invalid
from flexid.domain.pages import envelope, page_number
from flexid.domain.sip_address import SipAddress, parse
from flexid.domain.statistics import CallDevice, MessageDevice, NewCall, NewMessage
from flexid.http import answers
from flexid.http.answers import Answer, moment, moment_or_none
from flexid.http.api.page_answer import PageAnswer, of_pages
from flexid.http.call import Call
from flexid.http.inputs import AnyText, Flag, Input, Line64, Line255, Moment, SipAddressText, WholeNumber, one_of
from flexid.http.routes import ADMIN, USER, Routes

routes = Routes("/api/statistics", title="Statistics")
own_routes = Routes("/api/accounts/me/statistics", title="Statistics of one's own account")
account_routes = Routes("/api/accounts/{account_id}/statistics", title="Statistics of an account")

PER_PAGE, MOST_PER_PAGE = 30, 100
PAGES = of_pages(PER_PAGE, MOST_PER_PAGE)
LONGEST_DEVICE_ID = 255
STATES = ("error", "declined", "canceled", "accepted_elsewhere", "declined_elsewhere", "accepted")


class MessageInput(Input):
    """A message that was sent."""

    id: Line64
    sender: SipAddressText = Field(alias="from")
    sent_at: Moment
    encrypted: Flag
    conference_id: Line255 | None = None


class MessageDeviceInput(Input):
    """What became of it on a device."""

    last_status: WholeNumber
    received_at: Moment | None = None


class CallInput(Input):
    """A call that has begun."""

    id: Line64
    caller: SipAddressText = Field(alias="from")
    callee: SipAddressText = Field(alias="to")
    initiated_at: Moment
    ended_at: Moment | None = None
    conference_id: Line255 | None = None


class CallChangeInput(Input):
    """When it ended."""

    ended_at: Moment | None = None


class Termination(Input):
    """How the ringing of a device ended."""

    at: Moment
    state: Annotated[AnyText, one_of(*STATES)]


class CallDeviceInput(Input):
    """What a device did with a call."""

    rang_at: Moment | None = None
    invite_terminated: Termination | None = None


class MessageDeviceAnswer(TypedDict):
    """What became of a message on a device."""

    id: int
    message_id: str
    to_username: str
    to_domain: str
    device_id: str
    last_status: int
    received_at: str | None
    created_at: str
    updated_at: str


class CallDeviceAnswer(TypedDict):
    """A device that a call reached."""

    id: int
    call_id: str
    device_id: str
    rang_at: str | None
    invite_terminated_at: str | None
    invite_terminated_state: str | None
    created_at: str
    updated_at: str


class CallAnswer(TypedDict):
    """A call with its devices."""

    id: str
    from_username: str
    from_domain: str
    to_username: str
    to_domain: str
    initiated_at: str
    ended_at: str | None
    conference_id: str | None
    created_at: str
    updated_at: str
    devices: list[CallDeviceAnswer]


@routes.post("/messages", caller=ADMIN, input=MessageInput, hot=True)
async def add_message(call: Call[MessageInput]) -> int:
    """Note a message; the answer is how many were noted. A known id is refused with 400."""
    given = call.input
    await call.services.statistics.add_message(
        NewMessage(given.id, given.sender, given.sent_at, given.encrypted, given.conference_id)
    )
    return 1


@routes.patch(
    "/messages/{message_id}/to/{recipient}/devices/{device_id}",
    caller=ADMIN,
    input=MessageDeviceInput,
    answers={200: MessageDeviceAnswer, 201: MessageDeviceAnswer},
)
async def set_message_device(call: Call[MessageDeviceInput], message_id: str, recipient: str, device_id: str) -> Answer:
    """Note what became of a message on a device: 201 for a device that is new, else 200; 400 for an unknown message."""
    noted, is_new = await call.services.statistics.set_message_device(
        message_id, _address(recipient), _device(device_id), call.input.last_status, call.input.received_at
    )
    return answers.json(_shown(noted), 201 if is_new else 200)


@routes.post("/calls", caller=ADMIN, input=CallInput, hot=True)
async def add_call(call: Call[CallInput]) -> int:
    """Note a call; the answer is how many were noted. A known id is refused with 400."""
    given = call.input
    await call.services.statistics.add_call(
        NewCall(given.id, given.caller, given.callee, given.initiated_at, given.ended_at, given.conference_id)
    )
    return 1


@routes.patch("/calls/{call_id}", caller=ADMIN, input=CallChangeInput)
async def end_call(call: Call[CallChangeInput], call_id: str) -> CallAnswer:
    """Note when a call ended."""
    return show(await call.services.statistics.end_call(call_id, call.input.ended_at))


@routes.patch(
    "/calls/{call_id}/devices/{device_id}",
    caller=ADMIN,
    input=CallDeviceInput,
    answers={200: CallDeviceAnswer, 201: CallDeviceAnswer},
)
async def set_call_device(call: Call[CallDeviceInput], call_id: str, device_id: str) -> Answer:
    """Note what a device did with a call: 201 for a device that is new, else 200; 400 for an unknown call."""
    ended = call.input.invite_terminated
    noted, is_new = await call.services.statistics.set_call_device(
        call_id, _device(device_id), call.input.rang_at, (ended.at, ended.state) if ended else None
    )
    return answers.json(_shown(noted), 201 if is_new else 200)


@own_routes.get("/calls", caller=USER, parameters=PAGES, answers={200: PageAnswer[CallAnswer]})
async def own_calls(call: Call[Any]) -> dict[str, object]:
    """List one's own calls, the latest first, 30 a page."""
    return await _calls_of(call, call.actor.username, call.actor.domain, "me")


@account_routes.get("/calls", caller=ADMIN, parameters=PAGES, answers={200: PageAnswer[CallAnswer]})
async def calls_of_account(call: Call[Any], account_id: int) -> dict[str, object]:
    """List the calls of an account, the latest first, 30 a page."""
    account = await call.services.accounts.show(call.actor, account_id)
    return await _calls_of(call, account.username, account.domain, str(account_id))


def show(call: statistics.Call) -> CallAnswer:
    """Return a call as the API shows it."""
    return CallAnswer(
        id=call.id,
        from_username=call.from_username,
        from_domain=call.from_domain,
        to_username=call.to_username,
        to_domain=call.to_domain,
        initiated_at=moment(call.initiated_at),
        ended_at=moment_or_none(call.ended_at),
        conference_id=call.conference_id,
        created_at=moment(call.created_at),
        updated_at=moment(call.updated_at),
        devices=[CallDeviceAnswer(**device) for device in call.devices],  # type: ignore[typeddict-item]  # from JSON
    )


async def _calls_of(call: Call[Any], username: str, domain: str, name: str) -> dict[str, object]:
    number = page_number(call.query("page"))
    per_page = min(page_number(call.query("per_page"), otherwise=PER_PAGE), MOST_PER_PAGE)
    total, calls = await call.services.statistics.calls_of(username, domain, number, per_page)
    extra = {"per_page": str(per_page)} if per_page != PER_PAGE else {}
    path = f"{call.peer.base_url}/api/accounts/{name}/statistics/calls"
    return envelope([show(each) for each in calls], total, number, per_page, path, extra)


def _shown(device: CallDevice | MessageDevice) -> dict[str, object]:
    times = ("rang_at", "invite_terminated_at", "received_at", "created_at", "updated_at")
    return {name: moment_or_none(value) if name in times else value for name, value in asdict(device).items()}


def _address(text: str) -> SipAddress:
    address = parse(text)
    if address is None:
        raise Invalid.field("to", Text("It must be a SIP address such as alice@sip.example.org"))
    return address


def _device(text: str) -> str:
    # Flexisip writes the id of the device as it stands in the contact: `"<urn:uuid:…>"`.
    if len(text) > LONGEST_DEVICE_ID:
        raise Invalid.field(
            "device_id", Text("It may not be longer than {length} characters", length=LONGEST_DEVICE_ID)
        )
    return text
