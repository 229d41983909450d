"""New accounts that people make by themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import model_validator

from flexid.base.text import Text
from flexid.domain.errors import Blocked, Expired, Invalid
from flexid.domain.tokens import AddressKind
from flexid.http import answers, visits
from flexid.http.answers import Answer
from flexid.http.api.address_changes import CodeInput
from flexid.http.call import Call
from flexid.http.inputs import AnyText, Flag, Input, Text255, given
from flexid.http.pages import go, page
from flexid.http.portal.account_forms import tidy
from flexid.http.portal.admission import BLOCKED
from flexid.http.portal.captcha import guarded_page, is_person
from flexid.http.portal.login import HOME, begin
from flexid.http.routes import PUBLIC, Routes
from flexid.services.account_rules import Fields
from flexid.services.sign_up import Wish

routes = Routes("/register", title="Registration", portal=True)

COOKIE = "registration"
"""Holds the token that goes on with what this browser began."""
CODE = "/register/code"
NOT_ALIKE = {
    "password": Text("The two passwords are not the same"),
    "email": Text("The two addresses are not the same"),
    "phone": Text("The two numbers are not the same"),
}
TERMS = Text("An account needs your consent to the terms of use")


class RegistrationForm(Input):
    """Who somebody wants to be, as people write that."""

    username: AnyText
    password: AnyText
    password_confirmation: AnyText
    terms: Flag = False
    newsletter: Flag = False

    @model_validator(mode="before")
    @classmethod
    def _tidy(cls, values: Mapping[str, Any]) -> Mapping[str, Any]:
        return tidied(values)


class EmailForm(RegistrationForm):
    """To be confirmed by mail."""

    email: Text255
    email_confirmation: Text255


class PhoneForm(RegistrationForm):
    """To be confirmed by SMS."""

    phone: Text255
    phone_confirmation: Text255


def tidied(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was typed without blanks around it, the username in lower case, phone numbers without blanks."""
    typed = tidy(values)
    again = tidy({name.removesuffix("_confirmation"): typed[name] for name in typed if name.endswith("_confirmation")})
    typed |= {f"{name}_confirmation": value for name, value in again.items()}
    if isinstance(typed.get("username"), str):
        typed["username"] = typed["username"].lower()
    return given(typed)


async def may_send(call: Call[Any], body: Mapping[str, Any]) -> None:
    """Refuse programs, and whoever sends very many forms."""
    sign_up = call.services.sign_up
    sign_up.refuse_if_closed(call.space)
    await sign_up.count(call.origin)
    await is_person(call, body)


async def faults(call: Call[Any], kind: AddressKind, values: Mapping[str, Any]) -> dict[str, Sequence[Text]]:
    """Return what is wrong with the readable fields, but for names that are taken."""
    fields = Fields(values.get("username"), values.get("password"), **{kind: values.get(kind)})
    found: dict[str, Sequence[Text]] = {**await call.services.sign_up.faults(fields)}
    for name in ("password", kind):
        both = values.get(name), values.get(f"{name}_confirmation")
        if all(both) and both[0] != both[1] and name not in found:
            found[f"{name}_confirmation"] = [NOT_ALIKE[name]]
    if not values.get("terms"):
        found["terms"] = [TERMS]
    return found


async def faults_with_email(call: Call[Any], values: Mapping[str, Any]) -> dict[str, Sequence[Text]]:
    """Return what is wrong with the readable fields of somebody with an email address."""
    return await faults(call, "email", tidied(values))


async def faults_with_phone(call: Call[Any], values: Mapping[str, Any]) -> dict[str, Sequence[Text]]:
    """Return what is wrong with the readable fields of somebody with a phone number."""
    return await faults(call, "phone", tidied(values))


@routes.get(caller=PUBLIC)
async def choose(call: Call[Any]) -> Answer:
    """Ask how an account is to be confirmed, where there is a choice."""
    if call.visit.viewer:
        return answers.see_other(HOME)
    call.services.sign_up.refuse_if_closed(call.space)
    if not await call.services.sign_up.is_open_for_phones(call.space):
        return answers.see_other("/register/email")
    return page(call, "register/page.html")


@routes.get("/email", caller=PUBLIC)
async def with_email(call: Call[Any]) -> Answer:
    """Ask who somebody wants to be, and for an email address."""
    return await _form(call, "email")


@routes.post("/email", caller=PUBLIC, input=EmailForm, first=may_send, refusals=faults_with_email, again=with_email)
async def register_with_email(call: Call[EmailForm]) -> Answer:
    """Create an account, and send a code to its email address."""
    return await _register(call, "email", call.input.email)


@routes.get("/phone", caller=PUBLIC)
async def with_phone(call: Call[Any]) -> Answer:
    """Ask who somebody wants to be, and for a phone number."""
    return await _form(call, "phone")


@routes.post("/phone", caller=PUBLIC, input=PhoneForm, first=may_send, refusals=faults_with_phone, again=with_phone)
async def register_with_phone(call: Call[PhoneForm]) -> Answer:
    """Create an account, and send a code to its phone number."""
    return await _register(call, "phone", call.input.phone)


async def ask_for_code(call: Call[Any]) -> Answer:
    """Ask for the code once more, if one is good yet."""
    begun = await call.services.sign_up.show(call.space, call.cookie(COOKIE) or "")
    return page(call, "register/code.html", begun=begun)


@routes.get("/code", caller=PUBLIC)
async def show_code(call: Call[Any]) -> Answer:
    """Ask for the code."""
    if call.visit.viewer:
        return answers.see_other(HOME)
    try:
        return await ask_for_code(call)
    except Expired:
        return answers.see_other("/register")


@routes.post("/code", caller=PUBLIC, input=CodeInput, again=ask_for_code)
async def confirm(call: Call[CodeInput]) -> Answer:
    """Activate the account by its code, and sign in."""
    token = call.cookie(COOKIE) or ""
    code = call.input.code
    session_id = await call.services.sign_up.confirm(call.space, token, code, call.language, call.origin)
    visits.drop(call.request, COOKIE, secure=call.is_secure)
    await begin(call, session_id)
    return await go(call, HOME, Text("Welcome! Your account is active."))


@routes.post("/code/again", caller=PUBLIC, again=ask_for_code)
async def send_again(call: Call[Any]) -> Answer:
    """Send another code; the one before is void."""
    try:
        await call.services.sign_up.send_again(call.space, call.cookie(COOKIE) or "", call.language, call.origin)
    except Blocked:
        return answers.see_other(BLOCKED)
    return await go(call, CODE, Text("Another code is on its way. The one before no longer works."))


async def _form(call: Call[Any], kind: AddressKind) -> Answer:
    if call.visit.viewer:
        return answers.see_other(HOME)
    sign_up = call.services.sign_up
    sign_up.refuse_if_closed(call.space, kind)
    await sign_up.refuse_if_full(call.space)
    return guarded_page(
        call,
        "register/form.html",
        kind=kind,
        other_way=kind == "phone" or await sign_up.is_open_for_phones(call.space),
        least=call.settings.accounts.password_min_length,
        terms_url=call.settings.portal.terms_url,
        privacy_url=call.settings.portal.privacy_url,
    )


async def _register(call: Call[Any], kind: AddressKind, address: str) -> Answer:
    form: RegistrationForm = call.input
    if wrong := await faults(call, kind, form.model_dump()):
        raise Invalid(wrong)
    wish = Wish(kind, form.username, address, form.password, newsletter=form.newsletter, language=call.language)
    token = await call.services.sign_up.begin(call.space, wish, call.cookie(COOKIE), call.origin)
    seconds = call.settings.lifetimes.registration * 60 or None
    visits.keep(call.request, COOKIE, token, secure=call.is_secure, seconds=seconds)
    return answers.see_other(CODE)
