"""Accounts, as administrators manage them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, TypedDict

from attrs import evolve
from pydantic import Field

from flexid.base.text import Text
from flexid.domain.account import Account, NewAccount
from flexid.domain.account_search import AccountSearchWish
from flexid.domain.errors import Invalid, NotFound
from flexid.domain.pages import envelope, page_number
from flexid.domain.search_text import SearchText
from flexid.domain.sip_address import SipAddress, parse
from flexid.domain.space import Space
from flexid.http.api.account_answer import AccountAnswer, ResolvedAccountAnswer, show, show_resolved
from flexid.http.api.page_answer import PageAnswer, of_pages
from flexid.http.call import Call
from flexid.http.inputs import (
    AnyText,
    Dictionary,
    DictionaryPatch,
    Flag,
    Input,
    MergePatch,
    Moment,
    NotNull,
    Text255,
    one_of,
    read,
)
from flexid.http.routes import ADMIN, Parameter, Routes
from flexid.services.account_rules import Fields

routes = Routes("/api/accounts", title="Accounts")
resolve_routes = Routes("/api/resolve", title="Resolve")

PER_PAGE, MOST_PER_PAGE = 20, 100
FILTERS = (
    Parameter("search", "Words, or a number, to be found in username, email, phone or display name."),
    Parameter(
        "domain", "The Space whose accounts are listed, by its domain; 404 where the caller does not administer it."
    ),
    Parameter("activated", "Only activated accounts, or only others.", bool),
    Parameter("admin", "Only administrators, or only others.", bool),
    Parameter("updated_since", "Only accounts that were changed at this time or later (ISO 8601)."),
)
DtmfProtocol = Annotated[Text255, one_of("sipinfo", "rfc2833", "sipmessage")]


class AccountFieldsInput(Input):
    """What may be said of an account, and may be left out."""

    display_name: Text255 | None = None
    email: Text255 | None = None
    phone: Text255 | None = None
    dtmf_protocol: DtmfProtocol | None = None


class AccountInput(AccountFieldsInput):
    """A new account."""

    username: AnyText
    password: AnyText
    domain: Text255 | None = None
    activated: Flag = False
    admin: Flag = False
    dictionary: Dictionary = Field(default_factory=dict)


class AccountChangeInput(AccountFieldsInput):
    """A whole account: email, phone, display name and DTMF protocol that are not given become null."""

    username: AnyText
    password: AnyText | None = None
    activated: Flag | None = None
    admin: Flag | None = None
    blocked: Flag | None = None
    dictionary: Dictionary | None = None


class AccountPatchInput(AccountFieldsInput, MergePatch):
    """What changes of an account: null clears email, phone, display name or DTMF protocol, or deletes an entry."""

    username: Annotated[AnyText | None, NotNull()] = None
    password: Annotated[AnyText | None, NotNull()] = None
    activated: Annotated[Flag | None, NotNull()] = None
    admin: Annotated[Flag | None, NotNull()] = None
    blocked: Annotated[Flag | None, NotNull()] = None
    dictionary: Annotated[DictionaryPatch | None, NotNull()] = None


class AccountFilters(Input):
    """Which accounts are listed: those that all of it is true of."""

    search: Text255 | None = None
    domain: Text255 | None = None
    activated: Flag | None = None
    admin: Flag | None = None
    updated_since: Moment | None = None

    def wish(self) -> AccountSearchWish:
        """Return what is looked for, on the first page."""
        return AccountSearchWish(
            text=SearchText.read(self.search or ""),
            domain=self.domain.lower() if self.domain else None,
            activated=self.activated,
            role=None if self.admin is None else "admin" if self.admin else "user",
            updated_since=self.updated_since,
        )


class ResolveAnswer(TypedDict):
    """What an address stands for."""

    type: Literal["account"]
    payload: ResolvedAccountAnswer


def filters_of(call: Call[Any]) -> tuple[dict[str, str], AccountFilters]:
    """Return the filters in the query string, as they were sent and as they are meant.

    :raise Invalid: one of them cannot be read.
    """
    # The first of each name counts, as everywhere.
    asked = dict(reversed(call.queries()))
    sent = {wished.name: asked[wished.name] for wished in FILTERS if asked.get(wished.name)}
    return sent, read(AccountFilters, sent)


async def has_room(call: Call[Any], body: Mapping[str, Any]) -> None:
    """Refuse a creation in a full Space, or in none, before its input is validated."""
    space = await space_for(call, body.get("domain")) if call.actor.super_admin else call.space
    await call.services.accounts.refuse_if_full(space)


async def faults_of_new(call: Call[Any], values: Mapping[str, Any]) -> Mapping[str, Sequence[Text]]:
    """Return what is wrong with the readable fields of a new account."""
    try:
        space = await space_for(call, values.get("domain"))
    except Invalid as no_space:
        return {**await call.services.accounts.faults(call.space, _fields(values)), **no_space.errors}
    return await call.services.accounts.faults(space, _fields(values))


async def faults_of_change(call: Call[Any], values: Mapping[str, Any], account_id: int) -> Mapping[str, list[Text]]:
    """Return what is wrong with the readable fields of a changed account."""
    account = await call.services.accounts.show(call.actor, account_id)
    space = await space_for(call, account.domain)
    return await call.services.accounts.faults(space, _fields(values), but=account_id)


@routes.get(
    caller=ADMIN,
    hot=True,
    parameters=(*of_pages(PER_PAGE, MOST_PER_PAGE), *FILTERS),
    answers={200: PageAnswer[AccountAnswer]},
)
async def page(call: Call[Any]) -> dict[str, object]:
    """List the accounts of the Space that all filters leave, by id, 20 a page (`?page=`, `?per_page=` up to 100).

    Of a text that more than a thousand accounts of a large Space hold, only some are listed.
    """
    sent, filters = filters_of(call)
    asked = dict(reversed(call.queries()))
    number = page_number(asked.get("page"))
    per_page = min(page_number(asked.get("per_page"), otherwise=PER_PAGE), MOST_PER_PAGE)
    wish = evolve(filters.wish(), page=number, per_page=per_page)
    total, accounts = await call.services.account_search.whole_page(call.actor, call.space, wish)
    data = [show(account, call.settings.lifetimes) for account in accounts]
    extra = sent | ({"per_page": str(per_page)} if per_page != PER_PAGE else {})
    return envelope(data, total, number, per_page, f"{call.peer.base_url}/api/accounts", extra)


@routes.post(caller=ADMIN, input=AccountInput, first=has_room, refusals=faults_of_new, hot=True)
async def create(call: Call[AccountInput]) -> AccountAnswer:
    """Create an account in the Space of the host, or in the Space of `domain` for super administrators."""
    given = call.input
    space = await space_for(call, given.domain)
    new = NewAccount(**given.model_dump(exclude={"password", "domain"}), domain=space.domain)
    account = await call.services.accounts.create(
        space, new, given.password, call.origin, call.origin.user_agent or space.name
    )
    return _show(call, account)


@routes.get("/{account_id}", caller=ADMIN)
async def show_one(call: Call[Any], account_id: int) -> AccountAnswer:
    """Show an account, with the codes that are pending."""
    account = await call.services.accounts.show(call.actor, account_id)
    return show(account, call.settings.lifetimes, with_codes=True)


@routes.put("/{account_id}", caller=ADMIN, input=AccountChangeInput, refusals=faults_of_change)
async def change(call: Call[AccountChangeInput], account_id: int) -> AccountAnswer:
    """Replace an account; a new username needs a password, since the stored hash contains the name."""
    given = call.input.model_dump(exclude={"password"})
    kept_if_absent = ("activated", "admin", "blocked", "dictionary")
    changes = {name: value for name, value in given.items() if value is not None or name not in kept_if_absent}
    return _show(call, await call.services.accounts.change(call.actor, account_id, changes, call.input.password))


@routes.patch("/{account_id}", caller=ADMIN, input=AccountPatchInput, refusals=faults_of_change)
async def merge(call: Call[AccountPatchInput], account_id: int) -> AccountAnswer:
    """Change only what is given of an account, as JSON Merge Patch (RFC 7396) has it: null takes a value away.

    `dictionary` is merged as well: its other entries stay, and null deletes one. A new username needs a password.
    """
    changes = call.input.model_dump(exclude_unset=True)
    password = changes.pop("password", None)
    account = await call.services.accounts.change(call.actor, account_id, changes, password, merges=True)
    return _show(call, account)


@routes.delete("/{account_id}", caller=ADMIN)
async def delete(call: Call[Any], account_id: int) -> None:
    """Delete an account; its name cannot be taken again."""
    await call.services.accounts.delete(call.actor, account_id)


@routes.post("/{account_id}/activate", caller=ADMIN)
async def activate(call: Call[Any], account_id: int) -> AccountAnswer:
    """Activate an account: Flexisip lets it sign in."""
    return _show(call, await call.services.accounts.set_activated(call.actor, account_id, value=True))


@routes.post("/{account_id}/deactivate", caller=ADMIN)
async def deactivate(call: Call[Any], account_id: int) -> AccountAnswer:
    """Deactivate an account: Flexisip refuses it."""
    return _show(call, await call.services.accounts.set_activated(call.actor, account_id, value=False))


@routes.post("/{account_id}/block", caller=ADMIN)
async def block(call: Call[Any], account_id: int) -> AccountAnswer:
    """Block an account: every request that it authenticates is refused."""
    return _show(call, await call.services.accounts.set_blocked(call.actor, account_id, value=True))


@routes.post("/{account_id}/unblock", caller=ADMIN)
async def unblock(call: Call[Any], account_id: int) -> AccountAnswer:
    """Unblock an account."""
    return _show(call, await call.services.accounts.set_blocked(call.actor, account_id, value=False))


@routes.get("/{account_id}/provision", caller=ADMIN)
async def provision(call: Call[Any], account_id: int) -> AccountAnswer:
    """Give an account a fresh provisioning token; the one before is void."""
    return _show(call, await call.services.accounts.renew_provisioning_token(call.actor, account_id, call.origin))


@routes.get("/{sip}/search", caller=ADMIN)
async def search(call: Call[Any], sip: str) -> ResolvedAccountAnswer:
    """Find an account by its SIP address."""
    account = await call.services.accounts.by_address(call.actor, _address(sip))
    return show_resolved(account, call.settings.lifetimes)


@routes.get("/{email}/search-by-email", caller=ADMIN)
async def search_by_email(call: Call[Any], email: str) -> ResolvedAccountAnswer:
    """Find an account by its email address; the oldest, where several share it."""
    account = await call.services.accounts.by_email(call.actor, email)
    return show_resolved(account, call.settings.lifetimes)


@resolve_routes.get("/{sip}", caller=ADMIN, hot=True)
async def resolve(call: Call[Any], sip: str) -> ResolveAnswer:
    """Tell what a SIP address stands for; Flexisip asks this for every call."""
    account = await call.services.accounts.by_address(call.actor, _address(sip))
    return ResolveAnswer(type="account", payload=show_resolved(account, call.settings.lifetimes))


async def space_for(call: Call[Any], domain: object) -> Space:
    """Return the Space that new accounts go to: that of the host, or one that a super administrator names.

    :raise Forbidden: a super administrator names a domain that no Space has.
    :raise Invalid: somebody else does.
    """
    wanted = domain.lower() if isinstance(domain, str) and domain else None
    return await call.services.accounts.space_for(call.space, call.actor, wanted)


def _show(call: Call[Any], account: Account) -> AccountAnswer:
    return show(account, call.settings.lifetimes)


def _address(text: str) -> SipAddress:
    address = parse(text, parameters=True)
    if address is None:
        raise NotFound
    return SipAddress(address.username.lower(), address.domain)


def _fields(values: Mapping[str, Any]) -> Fields:
    return Fields(*(values.get(name) for name in ("username", "password", "email", "phone")))
