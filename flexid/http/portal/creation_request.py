"""The page on which a person lets an application create an account."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from flexid.http import answers
from flexid.http.answers import Answer
from flexid.http.call import Call
from flexid.http.inputs import Input, Text64
from flexid.http.pages import page
from flexid.http.routes import PUBLIC, Routes

routes = Routes("/creation_token", title="Account creation requests", portal=True)


class ValidationForm(Input):
    """The token of the application."""

    account_creation_request_token: Text64


@routes.get("/check/{token}", caller=PUBLIC)
async def check(call: Call[Any], token: str) -> Answer:
    """Ask whether an application may create an account, or say that it may."""
    is_validated = await call.services.creation_requests.is_validated(call.space, token)
    return page(call, "creation_token/page.html", token=token, is_validated=is_validated)


@routes.post("/validate", caller=PUBLIC, input=ValidationForm)
async def validate(call: Call[ValidationForm]) -> Answer:
    """Let the application go on."""
    token = call.input.account_creation_request_token
    await call.services.creation_requests.validate(call.space, token)
    return answers.see_other(f"/creation_token/check/{quote(token, safe='')}")
