"""New email addresses and phone numbers of users."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator

from flexid.base.text import Text
from flexid.http.api.account_answer import AccountAnswer, show
from flexid.http.call import Call
from flexid.http.inputs import Input, Text255, refuse
from flexid.http.routes import USER, Routes

routes = Routes("/api/accounts/me", title="Email and phone")

_DIGITS = re.compile("[0-9]{4}")


def _code(value: str) -> str:
    if not _DIGITS.fullmatch(value):
        raise refuse(Text("The code must have 4 digits"))
    return value


class EmailInput(Input):
    """A new email address."""

    email: Text255


class PhoneInput(Input):
    """A new phone number."""

    phone: Text255


class CodeInput(Input):
    """The code that came to the new address."""

    code: Annotated[Text255, AfterValidator(_code)]


async def is_validated(call: Call[Any], _: Mapping[str, Any]) -> None:
    """Refuse accounts without a creation token before their input is validated."""
    await call.services.address_changes.refuse_unless_validated(call.actor)


@routes.post("/email/request", caller=USER, input=EmailInput, first=is_validated)
async def request_email(call: Call[EmailInput]) -> None:
    """Send a code to a new email address; who asks for too many codes is blocked."""
    email = call.input.email
    await call.services.address_changes.request(call.actor, "email", email, call.language, call.origin)


@routes.post("/email", caller=USER, input=CodeInput)
async def confirm_email(call: Call[CodeInput]) -> AccountAnswer:
    """Set the new email address by its code, and activate the account; a code bears three tries."""
    account = await call.services.address_changes.confirm(call.actor, "email", call.input.code)
    return show(account, call.settings.lifetimes)


@routes.post("/phone/request", caller=USER, input=PhoneInput, first=is_validated)
async def request_phone(call: Call[PhoneInput]) -> None:
    """Send a code to a new phone number; who asks for too many codes is blocked."""
    phone = call.input.phone
    await call.services.address_changes.request(call.actor, "phone", phone, call.language, call.origin)


@routes.post("/phone", caller=USER, input=CodeInput)
async def confirm_phone(call: Call[CodeInput]) -> AccountAnswer:
    """Set the new phone number by its code, and activate the account; a code bears three tries."""
    account = await call.services.address_changes.confirm(call.actor, "phone", call.input.code)
    return show(account, call.settings.lifetimes)
