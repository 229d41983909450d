"""Account creation tokens, and accounts made with them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, TypedDict

from pydantic import BeforeValidator, WithJsonSchema
from pydantic.json_schema import SkipJsonSchema

from flexid.base.settings import Lifetimes
from flexid.base.text import Text
from flexid.domain.account import NewAccount
from flexid.domain.errors import NotFound
from flexid.domain.tokens import CreationToken
from flexid.http.answers import moment
from flexid.http.api.account_answer import AccountAnswer, show
from flexid.http.api.accounts import DtmfProtocol
from flexid.http.call import Call
from flexid.http.inputs import AnyText, Input, Text64, refuse
from flexid.http.routes import ADMIN, PUBLIC, USER, Routes
from flexid.services.account_rules import Fields

routes = Routes("/api", title="Account creation tokens")


def _never(_: object) -> object:
    raise refuse(Text("It may not be set here"))


Refused = Annotated[SkipJsonSchema[object], BeforeValidator(_never)]


class CreationTokenAnswer(TypedDict):
    """A token that lets somebody create one account."""

    token: str
    pn_provider: str | None
    pn_param: str | None
    pn_prid: str | None
    used: bool
    account_id: int | None
    ip: str | None
    user_agent: str | None
    expire_at: str | None


class ConsumeInput(Input):
    """The token to be used up."""

    account_creation_token: Annotated[object, WithJsonSchema({"type": "string"})] = None


class RegistrationInput(Input):
    """An account for whoever brings a token; what only administrators decide is refused."""

    username: AnyText
    password: AnyText
    account_creation_token: Text64
    dtmf_protocol: DtmfProtocol | None = None
    admin: Refused = None
    activated: Refused = None
    blocked: Refused = None
    email: Refused = None
    phone: Refused = None
    display_name: Refused = None
    dictionary: Refused = None


async def space_has_room(call: Call[Any], _: Mapping[str, Any]) -> None:
    """Refuse a registration in a full Space before its input is validated."""
    await call.services.accounts.refuse_if_full(call.space)


async def faults_of_registration(call: Call[Any], values: Mapping[str, Any]) -> Mapping[str, list[Text]]:
    """Return what is wrong with the readable fields of a registration."""
    fields = Fields(values.get("username"), values.get("password"))
    return await call.services.registration.faults(call.space, fields, values.get("account_creation_token"))


@routes.post("/account_creation_tokens", caller=ADMIN, created=True)
async def create(call: Call[Any]) -> CreationTokenAnswer:
    """Make a token to hand out."""
    return show_token(await call.services.registration.create_token(call.space, call.origin), call.settings.lifetimes)


@routes.post("/account_creation_tokens/consume", caller=USER, input=ConsumeInput)
async def consume(call: Call[ConsumeInput]) -> CreationTokenAnswer:
    """Use a token up and link it to the caller."""
    token = call.input.account_creation_token
    if not isinstance(token, str) or "\0" in token:
        raise NotFound
    consumed = await call.services.registration.consume_token(call.space, call.actor, token)
    return show_token(consumed, call.settings.lifetimes)


@routes.post(
    "/accounts/with-account-creation-token",
    caller=PUBLIC,
    input=RegistrationInput,
    first=space_has_room,
    refusals=faults_of_registration,
)
async def register(call: Call[RegistrationInput]) -> AccountAnswer:
    """Create an account with a token; it is not activated yet."""
    given = call.input
    new = NewAccount(username=given.username, domain=call.space.domain, dtmf_protocol=given.dtmf_protocol)
    account = await call.services.registration.register(
        call.space, new, given.password, given.account_creation_token, call.origin
    )
    return show(account, call.settings.lifetimes)


def show_token(token: CreationToken, lifetimes: Lifetimes) -> CreationTokenAnswer:
    """Return a token as the API shows it."""
    minutes = lifetimes.creation_token
    return CreationTokenAnswer(
        token=token.token,
        pn_provider=token.pn_provider,
        pn_param=token.pn_param,
        pn_prid=token.pn_prid,
        used=token.used,
        account_id=token.account_id,
        ip=token.ip,
        user_agent=token.user_agent,
        expire_at=moment(token.created_at + timedelta(minutes=minutes)) if minutes else None,
    )
