"""The page on which a person lets an application create an account."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from flexid.domain.errors import Invalid
from flexid.http import answers
from flexid.http.answers import Answer
from flexid.http.call import Call
from flexid.http.inputs import Input, Text64
from flexid.http.portal.captcha import guarded_page, is_person
from flexid.http.routes import PUBLIC, Routes
from flexid.services.creation_requests import FIELD

routes = Routes("/creation_token", title="Account creation requests", portal=True)


class ValidationForm(Input):
    """The token of the application."""

    account_creation_request_token: Text64


@routes.get("/check/{token}", caller=PUBLIC)
async def check(call: Call[Any], token: str) -> Answer:
    """Ask whether an application may create an account, or say that it may."""
    return await _page(call, token)


async def check_again(call: Call[Any]) -> Answer:
    """Ask once more, whatever else is wrong than the token."""
    if FIELD in call.errors:
        raise Invalid(call.errors)
    return await _page(call, call.typed.get(FIELD, ""))


@routes.post("/validate", caller=PUBLIC, input=ValidationForm, first=is_person, again=check_again)
async def validate(call: Call[ValidationForm]) -> Answer:
    """Let the application go on."""
    token = call.input.account_creation_request_token
    await call.services.creation_requests.validate(call.space, token)
    return answers.see_other(f"/creation_token/check/{quote(token, safe='')}")


async def _page(call: Call[Any], token: str) -> Answer:
    is_validated = await call.services.creation_requests.is_validated(call.space, token)
    return guarded_page(call, "creation_token/page.html", token=token, is_validated=is_validated)
