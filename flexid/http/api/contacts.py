"""Contacts of an account, as administrators manage them, and one's own."""

from __future__ import annotations

from typing import Any, TypedDict, cast

from flexid.domain.contacts import Contact
from flexid.domain.errors import NotFound
from flexid.domain.sip_address import parse
from flexid.http.api.account_actions import ActionAnswer
from flexid.http.api.account_answer import AccountAnswer
from flexid.http.api.account_answer import show as show_account
from flexid.http.api.account_types import TypeAnswer
from flexid.http.call import Call
from flexid.http.routes import ADMIN, USER, Routes

own_routes = Routes("/api/accounts/me/contacts", title="Own contacts")
account_routes = Routes("/api/accounts/{account_id}/contacts", title="Contacts of an account")


class ContactAnswer(TypedDict):
    """A contact, as its owner sees it."""

    id: int
    username: str
    domain: str
    activated: bool
    dtmf_protocol: str | None
    display_name: str | None
    sip_uri: str
    dictionary: dict[str, str]
    types: list[TypeAnswer]
    actions: list[ActionAnswer]


@own_routes.get(caller=USER)
async def own(call: Call[Any]) -> list[ContactAnswer]:
    """List one's contacts: those that were added one by one and the members of one's contacts lists, each once."""
    return [_show(each) for each in await call.services.contacts.own(call.actor)]


@own_routes.get("/{sip}", caller=USER)
async def own_by_address(call: Call[Any], sip: str) -> ContactAnswer:
    """Show one's contact with a SIP address."""
    address = parse(sip, parameters=True)
    if address is None:
        raise NotFound
    return _show(await call.services.contacts.own_by_address(call.actor, address))


@account_routes.get(caller=ADMIN)
async def direct(call: Call[Any], account_id: int) -> list[AccountAnswer]:
    """List the contacts that were added to an account one by one."""
    accounts = await call.services.contacts.direct(call.actor, account_id)
    return [show_account(each, call.settings.lifetimes) for each in accounts]


@account_routes.get("/{contact_id}", caller=ADMIN)
async def one(call: Call[Any], account_id: int, contact_id: int) -> AccountAnswer:
    """Show a contact that was added to an account."""
    account = await call.services.contacts.one(call.actor, account_id, contact_id)
    return show_account(account, call.settings.lifetimes)


@account_routes.post("/{contact_id}", caller=ADMIN)
async def add(call: Call[Any], account_id: int, contact_id: int) -> None:
    """Make an account a contact of another; nothing changes if it is one."""
    await call.services.contacts.add(call.actor, account_id, contact_id)


@account_routes.delete("/{contact_id}", caller=ADMIN)
async def delete(call: Call[Any], account_id: int, contact_id: int) -> int:
    """Delete a contact that was added to an account; 404 if there is none."""
    return await call.services.contacts.delete(call.actor, account_id, contact_id)


def _show(contact: Contact) -> ContactAnswer:
    return ContactAnswer(
        id=contact.id,
        username=contact.username,
        domain=contact.domain,
        activated=contact.activated,
        dtmf_protocol=contact.dtmf_protocol,
        display_name=contact.display_name,
        sip_uri=contact.sip_uri,
        dictionary=contact.dictionary,
        types=cast("list[TypeAnswer]", list(contact.types)),
        actions=cast("list[ActionAnswer]", list(contact.actions)),
    )
