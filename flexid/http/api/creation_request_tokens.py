"""Account creation request tokens: what applications without push notifications start with."""

from __future__ import annotations

from typing import Any, TypedDict

from flexid.http.api.creation_tokens import CreationTokenAnswer, show_token
from flexid.http.call import Call
from flexid.http.inputs import Input, Text64
from flexid.http.routes import PUBLIC, Routes

routes = Routes("/api", title="Account creation request tokens")


class RequestTokenAnswer(TypedDict):
    """A token, and the page on which a person validates it."""

    token: str
    validation_url: str


class ExchangeInput(Input):
    """A token that a person has validated."""

    account_creation_request_token: Text64


@routes.post("/account_creation_request_tokens", caller=PUBLIC, created=True)
async def create(call: Call[Any]) -> RequestTokenAnswer:
    """Make a token that a person validates on a page of ours."""
    token = await call.services.creation_requests.create(call.space, call.origin)
    return RequestTokenAnswer(token=token, validation_url=f"{call.peer.base_url}/creation_token/check/{token}")


@routes.post(
    "/account_creation_tokens/using-account-creation-request-token", caller=PUBLIC, input=ExchangeInput, created=True
)
async def exchange(call: Call[ExchangeInput]) -> CreationTokenAnswer:
    """Exchange a validated token for one that lets somebody create an account."""
    token = call.input.account_creation_request_token
    created = await call.services.creation_requests.exchange(call.space, token, call.origin)
    return show_token(created, call.settings.lifetimes)
