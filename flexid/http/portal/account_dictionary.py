"""The dictionary of an account; keys stand in forms and queries, since they may hold what no path can."""

from __future__ import annotations

from typing import Any

from flexid.base.text import Text
from flexid.domain.dictionary import DictionaryEntry
from flexid.domain.errors import NotFound
from flexid.http import answers
from flexid.http.answers import Answer
from flexid.http.call import Call
from flexid.http.inputs import Input, Text255
from flexid.http.pages import go
from flexid.http.portal.account_page import page_of, path_of, show
from flexid.http.routes import ADMIN, Routes

routes = Routes("/admin/accounts/{account_id}/dictionary", title="Dictionary of an account", portal=True)


class EntryForm(Input):
    """An entry."""

    key: Text255
    value: Text255


class KeyForm(Input):
    """Which entry is meant; accounts may come with one whose key is empty."""

    key: Text255 = ""


@routes.post(caller=ADMIN, input=EntryForm, again=show)
async def set_entry(call: Call[EntryForm], account_id: int) -> Answer:
    """Add an entry, or replace the value of its key."""
    entry = DictionaryEntry(call.input.key, call.input.value)
    await call.services.dictionaries.set(call.actor, account_id, entry)
    return await go(call, _path_of(account_id), Text("Entry {key} saved.", key=entry.key))


@routes.get(caller=ADMIN)
async def find(call: Call[Any], account_id: int) -> Answer:
    """Send to the account whoever comes back to the address of a form that was refused."""
    account = await call.services.accounts.show(call.actor, account_id)
    return answers.see_other(path_of(account.id))


@routes.get("/edit", caller=ADMIN)
async def edit(call: Call[Any], account_id: int) -> Answer:
    """Show the value of the key in the query, to be changed."""
    return await _page(call, account_id, "entry")


@routes.get("/delete", caller=ADMIN)
async def ask(call: Call[Any], account_id: int) -> Answer:
    """Ask whether the entry of the key in the query is really to be deleted."""
    return await _page(call, account_id, "entry_delete")


@routes.delete(caller=ADMIN, input=KeyForm)
async def delete(call: Call[KeyForm], account_id: int) -> Answer:
    """Delete an entry."""
    await call.services.dictionaries.delete(call.actor, account_id, call.input.key)
    return await go(call, _path_of(account_id), Text("Entry {key} deleted.", key=call.input.key))


async def _page(call: Call[Any], account_id: int, name: str) -> Answer:
    account = await call.services.accounts.show(call.actor, account_id)
    key = call.query("key") or ""
    if key not in account.dictionary:
        raise NotFound
    return page_of(call, name, account, entry=DictionaryEntry(key, account.dictionary[key]))


def _path_of(account_id: int) -> str:
    return f"{path_of(account_id)}#dictionary-title"
