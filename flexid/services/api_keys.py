"""API keys: who a key speaks for, and the counting of its uses."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from datetime import datetime, timedelta

from attrs import define, field
from twisted.logger import Logger

from flexid.base.clock import Clock, random_token
from flexid.base.text import Text
from flexid.domain.account import Actor
from flexid.domain.api_key import AdminKey
from flexid.domain.errors import NotFound, Unauthenticated, Unavailable
from flexid.domain.space import Space
from flexid.services.cache import Cache
from flexid.store import api_keys
from flexid.store.api_keys import ApiKey
from flexid.store.database import Database

KEY_LENGTH = 40
SHOWN_OF_KEY = 6
KEYS_KEPT = 10_000
INVALID = Text("Invalid API Key")


@define
class ApiKeys:
    """Finds the caller behind a key without asking the database again, and gathers uses until they are flushed."""

    log = Logger()

    database: Database
    clock: Clock
    user_key_minutes: int
    _cache: Cache[bytes, ApiKey] = field(factory=lambda: Cache(KEYS_KEPT), init=False)
    _hashes_of_account: defaultdict[int, set[bytes]] = field(factory=lambda: defaultdict(set), init=False)
    _uses: dict[int, tuple[int, datetime]] = field(factory=dict, init=False)

    @property
    def cache(self) -> Cache[bytes, ApiKey]:
        """Keys by their hashes, as this process has last seen them."""
        return self._cache

    def watch(self) -> None:
        """Hear of changes from now on."""
        self.database.listen(
            "flexid_api_keys", lambda account_id: self.forget(int(account_id)), self._lost, self._regained
        )
        # What a caller may do follows from its Space too.
        self.database.listen("flexid_spaces", lambda _: self._forget_all(), self._lost, self._regained)

    async def identify(self, key: str, ip: str) -> Actor:
        """Return the account that a key speaks for, and count the use.

        :raise Unauthenticated: unknown, bound to another address, or unused for too long.
        """
        key_hash = hash_key(key)
        found = await self._cache.get(key_hash, lambda: api_keys.find(self.database, key_hash))
        if found and self._is_over(found):
            # Another process may have seen it used since this one read it.
            self._cache.drop([key_hash])
            found = await self._cache.get(key_hash, lambda: api_keys.find(self.database, key_hash))
        if not found or self._is_over(found) or found.ip not in {None, ip}:
            raise Unauthenticated(INVALID)
        self._remember(found.actor.account_id, key_hash)
        uses, _ = self._uses.get(found.id, (0, None))
        self._uses[found.id] = (uses + 1, self.clock.now())
        return found.actor

    async def renew_user_key(self, account_id: int, ip: str) -> str:
        """Return a new key of a user, bound to an address; the one before is void."""
        key = random_token(KEY_LENGTH)
        await api_keys.set_user_key(
            self.database, account_id, hash_key(key), key[:SHOWN_OF_KEY], ip, self.user_key_minutes
        )
        self.forget(account_id)
        return key

    async def add_admin_key(self, account_id: int, name: str, ip: str | None = None, minutes: int = 0) -> str:
        """Return a new key of an administrator; `minutes` unused end it, 0 = never."""
        key = random_token(KEY_LENGTH)
        await api_keys.add_admin_key(self.database, account_id, name, hash_key(key), key[:SHOWN_OF_KEY], ip, minutes)
        self.log.info("Account {account_id} has a new API key", event="api_key.created", account_id=account_id)
        return key

    async def admin_keys(self, space: Space) -> list[AdminKey]:
        """Return the keys of a Space's administrators, the latest first."""
        return await api_keys.list_admin_keys(self.database, space.domain)

    async def show_admin_key(self, space: Space, key_id: int) -> AdminKey:
        """Return a key of one of a Space's administrators.

        :raise NotFound: there is none with this id.
        """
        found = await api_keys.find_admin_key(self.database, key_id, space.domain)
        if found is None:
            raise NotFound
        return found

    async def delete_admin_key(self, space: Space, key_id: int) -> None:
        """Delete a key of one of a Space's administrators: it opens nothing any more.

        :raise NotFound: there is none with this id.
        """
        account_id = await api_keys.delete_admin_key(self.database, key_id, space.domain)
        if account_id is None:
            raise NotFound
        self.forget(account_id)

    def forget(self, account_id: int) -> None:
        """Forget the keys of an account: this process has changed it, and need not wait to hear of it."""
        self._cache.drop(self._hashes_of_account.pop(account_id, ()))

    async def flush(self) -> None:
        """Write the uses that were gathered; what cannot be written now is kept for the next time."""
        uses, self._uses = self._uses, {}
        if not uses:
            return
        try:
            await api_keys.count_uses(self.database, uses)
        except Unavailable:
            for key_id, (number, used_at) in uses.items():
                since, last = self._uses.get(key_id, (0, used_at))
                self._uses[key_id] = (since + number, max(last, used_at))

    async def clear_expired(self, minutes: int | None = None) -> int:
        """Delete keys that were unused for too long; return how many. `minutes` replaces what user keys were given."""
        await self.flush()
        return await api_keys.clear_expired(self.database, minutes)

    def _is_over(self, key: ApiKey) -> bool:
        if not key.expires_after_last_used_minutes:
            return False
        _, used_at = self._uses.get(key.id, (0, key.last_used_at))
        return self.clock.now() - max(used_at, key.last_used_at) > timedelta(
            minutes=key.expires_after_last_used_minutes
        )

    def _remember(self, account_id: int, key_hash: bytes) -> None:
        if len(self._hashes_of_account) > 2 * KEYS_KEPT:
            self._forget_all()
        self._hashes_of_account[account_id].add(key_hash)

    def _forget_all(self) -> None:
        self._cache.clear()
        self._hashes_of_account.clear()

    def _lost(self) -> None:
        self._cache.trusted = False
        self._forget_all()

    def _regained(self) -> None:
        self._forget_all()
        self._cache.trusted = True


def hash_key(key: str) -> bytes:
    """Return what is stored of a key."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
