"""What administrators do with the dictionary of an account."""

from __future__ import annotations

from attrs import frozen

from flexid.domain.account import Actor
from flexid.domain.dictionary import DictionaryEntry, key_fault
from flexid.domain.errors import Invalid, NotFound
from flexid.services.accounts import domain_within_reach
from flexid.store import dictionary
from flexid.store.database import Database


@frozen
class Dictionaries:
    """The use cases, each of one statement."""

    database: Database

    async def show(self, actor: Actor, account_id: int) -> dict[str, str]:
        """Return all entries, the oldest first.

        :raise NotFound: no such account within the actor's reach.
        """
        entries = await dictionary.read(self.database, account_id, domain_within_reach(actor))
        if entries is None:
            raise NotFound
        return entries

    async def entry(self, actor: Actor, account_id: int, key: str) -> DictionaryEntry:
        """Return the entry of a key.

        :raise NotFound: no such key, or no such account within the actor's reach.
        """
        entries = await self.show(actor, account_id)
        if key not in entries:
            raise NotFound
        return DictionaryEntry(key, entries[key])

    async def set(self, actor: Actor, account_id: int, entry: DictionaryEntry) -> DictionaryEntry:
        """Add an entry, or replace the value of its key.

        :raise Invalid: the key is too long.
        :raise NotFound: no such account within the actor's reach.
        """
        if fault := key_fault(entry.key):
            raise Invalid.field("key", fault)
        if not await dictionary.set_entry(self.database, account_id, domain_within_reach(actor), entry):
            raise NotFound
        return entry

    async def delete(self, actor: Actor, account_id: int, key: str) -> int:
        """Delete the entry of a key; return how many there were.

        :raise NotFound: no such account within the actor's reach.
        """
        return _found(await dictionary.delete(self.database, account_id, domain_within_reach(actor), key))

    async def clear(self, actor: Actor, account_id: int) -> int:
        """Delete all entries; return how many there were.

        :raise NotFound: no such account within the actor's reach.
        """
        return _found(await dictionary.delete(self.database, account_id, domain_within_reach(actor)))


def _found(deleted: int | None) -> int:
    if deleted is None:
        raise NotFound
    return deleted
