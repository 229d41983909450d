"""A new email address or phone number for one's own account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import model_validator

from flexid.base.text import Text
from flexid.domain.errors import Blocked, Expired, Invalid, NotFound
from flexid.domain.tokens import AddressKind
from flexid.http import answers
from flexid.http.answers import Answer
from flexid.http.api.address_changes import CodeInput
from flexid.http.call import Call
from flexid.http.inputs import Input, Text255
from flexid.http.pages import go, page
from flexid.http.portal.account_forms import tidy
from flexid.http.portal.admission import BLOCKED
from flexid.http.portal.login import HOME
from flexid.http.routes import USER, Routes
from flexid.services.sign_up import VOID

routes = Routes("", title="Email and phone", portal=True)

DONE = {
    "email": Text("Your email address is confirmed."),
    "phone": Text("Your phone number is confirmed."),
}


class EmailForm(Input):
    """A new email address, as people write it."""

    email: Text255

    @model_validator(mode="before")
    @classmethod
    def _tidy(cls, values: Mapping[str, Any]) -> Mapping[str, Any]:
        return tidy(values)


class PhoneForm(Input):
    """A new phone number, as people write it."""

    phone: Text255

    @model_validator(mode="before")
    @classmethod
    def _tidy(cls, values: Mapping[str, Any]) -> Mapping[str, Any]:
        return tidy(values)


@routes.get("/email/change", caller=USER)
async def ask_for_email(call: Call[Any]) -> Answer:
    """Ask for a new email address."""
    return await _ask(call, "email")


@routes.post("/email/change", caller=USER, input=EmailForm, again=ask_for_email)
async def send_mail(call: Call[EmailForm]) -> Answer:
    """Send a code to a new email address."""
    return await _send(call, "email", call.input.email)


@routes.get("/email/validate", caller=USER)
async def ask_for_code_of_mail(call: Call[Any]) -> Answer:
    """Ask for the code that came by mail."""
    return await _ask_for_code(call, "email")


@routes.post("/email/validate", caller=USER, input=CodeInput, again=ask_for_code_of_mail)
async def confirm_email(call: Call[CodeInput]) -> Answer:
    """Set the new email address by its code."""
    return await _confirm(call, "email")


@routes.get("/phone/change", caller=USER)
async def ask_for_phone(call: Call[Any]) -> Answer:
    """Ask for a new phone number."""
    return await _ask(call, "phone")


@routes.post("/phone/change", caller=USER, input=PhoneForm, again=ask_for_phone)
async def send_sms(call: Call[PhoneForm]) -> Answer:
    """Send a code to a new phone number."""
    return await _send(call, "phone", call.input.phone)


@routes.get("/phone/validate", caller=USER)
async def ask_for_code_of_sms(call: Call[Any]) -> Answer:
    """Ask for the code that came by SMS."""
    return await _ask_for_code(call, "phone")


@routes.post("/phone/validate", caller=USER, input=CodeInput, again=ask_for_code_of_sms)
async def confirm_phone(call: Call[CodeInput]) -> Answer:
    """Set the new phone number by its code."""
    return await _confirm(call, "phone")


async def _ask(call: Call[Any], kind: AddressKind) -> Answer:
    account = await call.services.own_account.show(call.actor)
    return page(call, "address/change.html", kind=kind, today=getattr(account, kind))


async def _send(call: Call[Any], kind: AddressKind, address: str) -> Answer:
    try:
        await call.services.address_changes.request(call.actor, kind, address, call.language, call.origin)
    except Blocked:
        return answers.see_other(BLOCKED)
    return answers.see_other(f"/{kind}/validate")


async def _ask_for_code(call: Call[Any], kind: AddressKind) -> Answer:
    account = await call.services.own_account.show(call.actor)
    pending = account.email_change_code if kind == "email" else account.phone_change_code
    if pending is None and not call.errors:
        return answers.see_other(f"/{kind}/change")
    return page(call, "address/code.html", kind=kind, address=pending and pending[kind])


async def _confirm(call: Call[Any], kind: AddressKind) -> Answer:
    try:
        await call.services.address_changes.confirm(call.actor, kind, call.input.code)
    except (NotFound, Expired):
        raise Invalid.field("code", VOID) from None
    return await go(call, HOME, DONE[kind])
