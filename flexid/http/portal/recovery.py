"""New passwords for those who have forgotten theirs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import model_validator

from flexid.base.text import Text
from flexid.domain.errors import Expired, Invalid
from flexid.domain.tokens import AddressKind
from flexid.http import answers, visits
from flexid.http.answers import Answer
from flexid.http.api.address_changes import CodeInput
from flexid.http.call import Call
from flexid.http.inputs import AnyText, Input, Text64, Text255
from flexid.http.pages import go, page
from flexid.http.portal.account_forms import tidy
from flexid.http.portal.captcha import guarded_page, is_person
from flexid.http.routes import PUBLIC, Routes

routes = Routes("/recovery", title="Recovery", portal=True)

COOKIE = "recovery"
"""Holds the token that goes on with what this browser began."""
START, CONFIRM, PASSWORD = "/recovery/email", "/recovery/confirm", "/recovery/password"  # a path


class AskForm(Input):
    """The address of an account; a phone number comes with the token of an application."""

    email: Text255 | None = None
    phone: Text255 | None = None
    account_recovery_token: Text64 | None = None

    @model_validator(mode="before")
    @classmethod
    def _tidy(cls, values: Mapping[str, Any]) -> Mapping[str, Any]:
        return tidy(values)


class PasswordForm(Input):
    """The new password twice; and whose it is, where there is a choice."""

    username: AnyText | None = None
    password: AnyText
    password_confirmation: AnyText


@routes.get(caller=PUBLIC)
async def start(call: Call[Any]) -> Answer:
    """Lead to the first page."""
    del call
    return answers.see_other(START)


@routes.get("/email", caller=PUBLIC)
async def by_email(call: Call[Any]) -> Answer:
    """Ask for the email address of an account."""
    return _email_form(call)


@routes.get("/phone/{account_recovery_token}", caller=PUBLIC)
async def by_phone(call: Call[Any], account_recovery_token: str) -> Answer:
    """Ask for the phone number of an account, where an application has got a token by push."""
    return await _phone_form(call, account_recovery_token)


async def ask_again(call: Call[Any]) -> Answer:
    """Show the form that was sent."""
    if token := call.typed.get("account_recovery_token"):
        return await _phone_form(call, token)
    return _email_form(call)


@routes.post(caller=PUBLIC, input=AskForm, first=is_person, again=ask_again)
async def ask(call: Call[AskForm]) -> Answer:
    """Send a code to the address, if it is that of an account."""
    given = call.input
    kind: AddressKind = "phone" if given.account_recovery_token else "email"
    address = given.phone if kind == "phone" else given.email
    if address is None:
        raise Invalid.field(kind, Text("The {field} field is required.", field=kind))
    token = await call.services.recovery.ask(
        call.space, kind, address, call.language, call.origin, given.account_recovery_token
    )
    seconds = 2 * call.settings.lifetimes.recovery_code * 60 or None
    visits.keep(call.request, COOKIE, token, secure=call.is_secure, seconds=seconds)
    return answers.see_other(CONFIRM)


async def ask_for_code(call: Call[Any]) -> Answer:
    """Ask for the code once more."""
    opened = await call.services.recovery.show(call.space, _token(call))
    return page(call, "recovery/code.html", address=opened.address)


@routes.get("/confirm", caller=PUBLIC)
async def show_code(call: Call[Any]) -> Answer:
    """Ask for the code."""
    try:
        opened = await call.services.recovery.show(call.space, _token(call))
    except Expired:
        return answers.see_other(START)
    if opened.is_confirmed:
        return answers.see_other(PASSWORD)
    return page(call, "recovery/code.html", address=opened.address)


@routes.post("/confirm", caller=PUBLIC, input=CodeInput, again=ask_for_code)
async def confirm(call: Call[CodeInput]) -> Answer:
    """Take the code."""
    await call.services.recovery.confirm(call.space, _token(call), call.input.code)
    return answers.see_other(PASSWORD)


@routes.get("/password", caller=PUBLIC)
async def choose(call: Call[Any]) -> Answer:
    """Ask for a new password."""
    usernames = await call.services.recovery.usernames(call.space, _token(call))
    least = call.settings.accounts.password_min_length
    return page(call, "recovery/password.html", usernames=usernames, least=least)


@routes.post("/password", caller=PUBLIC, input=PasswordForm, again=choose)
async def change(call: Call[PasswordForm]) -> Answer:
    """Set the password, once, and end the sessions of its account."""
    given = call.input
    if given.password != given.password_confirmation:
        raise Invalid.field("password_confirmation", Text("The two passwords are not the same"))
    recovery, token = call.services.recovery, _token(call)
    username = given.username or (await recovery.usernames(call.space, token))[0]
    await recovery.finish(call.space, token, username, given.password)
    visits.drop(call.request, COOKIE, secure=call.is_secure)
    return await go(call, "/login", Text("Your password is changed. You can sign in with it now."))


def _email_form(call: Call[Any]) -> Answer:
    call.services.recovery.refuse_if_closed(call.space)
    return guarded_page(call, "recovery/email.html")


async def _phone_form(call: Call[Any], recovery_token: str) -> Answer:
    call.services.recovery.refuse_if_closed(call.space)
    await call.services.recovery.refuse_bad_token(call.space, recovery_token)
    asked = call.query("phone") or ""
    # A plus sign that was not encoded arrives as a blank.
    phone = f"+{asked.strip()}" if asked.startswith(" ") else asked
    return guarded_page(call, "recovery/phone.html", recovery_token=recovery_token, phone=phone)


def _token(call: Call[Any]) -> str:
    return call.cookie(COOKIE) or ""
