"""Contacts lists of a Space, their members, and the accounts that have them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from flexid.base.text import Text
from flexid.domain.contacts import ContactsList
from flexid.http.answers import moment
from flexid.http.call import Call
from flexid.http.inputs import AnyText, Input, Text255
from flexid.http.routes import ADMIN, Routes

routes = Routes("/api/contacts_lists", title="Contacts lists")
account_routes = Routes("/api/accounts/{account_id}/contacts_lists", title="Contacts lists of an account")


class ListInput(Input):
    """A title, unique in the Space, and a description."""

    title: Text255
    description: AnyText


class ListAnswer(TypedDict):
    """A contacts list."""

    id: int
    space_id: int
    title: str
    description: str | None
    contacts_count: int
    created_at: str
    updated_at: str


async def needs_list(call: Call[Any], _: Mapping[str, Any], list_id: int) -> Mapping[str, Sequence[Text]]:
    """Refuse wrong input for a list that is not there as if it were right."""
    await call.services.contacts_lists.show(call.actor, call.space, list_id)
    return {}


@routes.get(caller=ADMIN)
async def show_all(call: Call[Any]) -> list[ListAnswer]:
    """List the contacts lists of the Space."""
    return [_show(each) for each in await call.services.contacts_lists.list_of(call.space)]


@routes.post(caller=ADMIN, input=ListInput, created=True)
async def add(call: Call[ListInput]) -> ListAnswer:
    """Add an empty contacts list to the Space."""
    given = call.input
    return _show(await call.services.contacts_lists.add(call.space, given.title, given.description))


@routes.get("/{list_id}", caller=ADMIN)
async def show(call: Call[Any], list_id: int) -> ListAnswer:
    """Show a contacts list."""
    return _show(await call.services.contacts_lists.show(call.actor, call.space, list_id))


@routes.put("/{list_id}", caller=ADMIN, input=ListInput, refusals=needs_list)
async def change(call: Call[ListInput], list_id: int) -> ListAnswer:
    """Give a contacts list another title and description."""
    given = call.input
    lists = call.services.contacts_lists
    return _show(await lists.change(call.actor, call.space, list_id, given.title, given.description))


@routes.delete("/{list_id}", caller=ADMIN)
async def delete(call: Call[Any], list_id: int) -> int:
    """Delete a contacts list; its members stay."""
    return await call.services.contacts_lists.delete(call.actor, call.space, list_id)


@routes.post("/{list_id}/contacts/{contact_id}", caller=ADMIN)
async def add_member(call: Call[Any], list_id: int, contact_id: int) -> None:
    """Put an account on a contacts list; nothing changes if it is there."""
    await call.services.contacts_lists.add_member(call.actor, call.space, list_id, contact_id)


@routes.delete("/{list_id}/contacts/{contact_id}", caller=ADMIN)
async def delete_member(call: Call[Any], list_id: int, contact_id: int) -> int:
    """Take an account from a contacts list."""
    return await call.services.contacts_lists.delete_member(call.actor, call.space, list_id, contact_id)


@account_routes.post("/{list_id}", caller=ADMIN)
async def attach(call: Call[Any], account_id: int, list_id: int) -> None:
    """Give an account the members of a list as its contacts; 403 if it has the list already."""
    await call.services.contacts_lists.attach(call.actor, call.space, list_id, account_id)


@account_routes.delete("/{list_id}", caller=ADMIN)
async def detach(call: Call[Any], account_id: int, list_id: int) -> int:
    """Take a contacts list from an account; 403 if it does not have it."""
    return await call.services.contacts_lists.detach(call.actor, call.space, list_id, account_id)


def _show(contacts_list: ContactsList) -> ListAnswer:
    return ListAnswer(
        id=contacts_list.id,
        space_id=contacts_list.space_id,
        title=contacts_list.title,
        description=contacts_list.description,
        contacts_count=contacts_list.contacts_count,
        created_at=moment(contacts_list.created_at),
        updated_at=moment(contacts_list.updated_at),
    )
