"""The dictionary of an account, as administrators manage it."""

from __future__ import annotations

from typing import Any, TypedDict

from flexid.domain.dictionary import DictionaryEntry
from flexid.http.call import Call
from flexid.http.inputs import Input, Text255
from flexid.http.routes import ADMIN, Routes

routes = Routes("/api/accounts/{account_id}/dictionary", title="Dictionary")


class EntryInput(Input):
    """The value of an entry; a number becomes text."""

    value: Text255


class EntryAnswer(TypedDict):
    """The value of an entry."""

    value: str


@routes.get(caller=ADMIN)
async def show(call: Call[Any], account_id: int) -> dict[str, str]:
    """Show the dictionary of an account."""
    return await call.services.dictionaries.show(call.actor, account_id)


@routes.delete(caller=ADMIN)
async def clear(call: Call[Any], account_id: int) -> int:
    """Delete all entries of an account's dictionary."""
    return await call.services.dictionaries.clear(call.actor, account_id)


@routes.get("/{key}", caller=ADMIN)
async def show_entry(call: Call[Any], account_id: int, key: str) -> EntryAnswer:
    """Show the value of a key."""
    return EntryAnswer(value=(await call.services.dictionaries.entry(call.actor, account_id, key)).value)


@routes.post("/{key}", caller=ADMIN, input=EntryInput, created=True)
async def set_entry(call: Call[EntryInput], account_id: int, key: str) -> EntryAnswer:
    """Add an entry to the account's dictionary, or replace its value."""
    entry = DictionaryEntry(key, call.input.value)
    return EntryAnswer(value=(await call.services.dictionaries.set(call.actor, account_id, entry)).value)


@routes.delete("/{key}", caller=ADMIN)
async def delete_entry(call: Call[Any], account_id: int, key: str) -> int:
    """Delete an entry of the account's dictionary."""
    return await call.services.dictionaries.delete(call.actor, account_id, key)
