"""Administrators made by whoever sits at the machine, and the very first of all."""

from __future__ import annotations

from attrs import evolve, field, frozen

from flexid.base.clock import random_token
from flexid.base.text import Text
from flexid.domain.account import Account, NewAccount, Origin
from flexid.domain.acting import Doer, acts
from flexid.domain.errors import Conflict, Forbidden, Invalid, NotFound
from flexid.domain.space import DigestConfiguration, Space
from flexid.services.account_rules import AccountRules, Fields
from flexid.services.accounts import hashed, new_provisioning_token
from flexid.services.api_keys import KEY_LENGTH, SHOWN_OF_KEY, hash_key
from flexid.store import account_changes, accounts, api_keys, migrations, spaces
from flexid.store.database import Database
from flexid.store.failures import ConstraintViolated
from flexid.store.query import Runner

DEFAULT_USERNAME = "admin"
PASSWORD_LENGTH = 20
KEY_NAME = "Made on the command line"
HERE = Origin("127.0.0.1", "flexid")
"""What is done on the command line comes from this machine."""


@frozen
class Wanted:
    """The administrator to make; None stands for the first Space, a random password, any address of the key's user."""

    username: str = DEFAULT_USERNAME
    domain: str | None = None
    password: str | None = field(default=None, repr=False)
    key_ip: str | None = None


@frozen
class Administrator:
    """An administrator with the secrets that are told once; no password in a Space without Digest."""

    id: int
    username: str
    domain: str
    password: str | None = field(repr=False)
    api_key: str = field(repr=False)


@frozen
class Administrators:
    """The use cases."""

    database: Database
    rules: AccountRules

    async def create(self, wanted: Wanted, *, overwrite: bool = False) -> Administrator:
        """Create an activated administrator with an API key that never expires.

        An account of that name is made one if `overwrite` is set: it keeps its id, gets the password, and is unblocked.

        :raise NotFound: no such Space.
        :raise Conflict: the account exists.
        :raise Invalid: username or password are refused, or the name is taken.
        :raise Forbidden: the Space is full.
        """
        async with self.database.transaction() as transaction:
            space = await _space(transaction, wanted.domain)
            return await self._create(transaction, space, wanted, overwrite=overwrite)

    async def make_first(self, root_host: str) -> Administrator | None:
        """Where there is no Space at all, open the first one, a super Space, and return its administrator.

        Of several processes that start at once one does it.
        """
        if await spaces.first(self.database) is not None:
            return None
        acts(lambda: Doer("the first start", "command"))
        async with self.database.transaction() as transaction:
            await migrations.lock(transaction)
            if await spaces.first(transaction) is not None:
                return None
            space = await open_space(transaction, root_host, is_super=True)
            return await self._create(transaction, space, Wanted(), overwrite=False)

    async def promote(self, account_id: int) -> None:
        """Make an account an administrator of its Space.

        :raise NotFound: no such account.
        """
        if not await account_changes.set_admin(self.database, account_id):
            raise NotFound(Text("No account has the id {id}", id=account_id))

    async def _create(self, runner: Runner, space: Space, wanted: Wanted, *, overwrite: bool) -> Administrator:
        existing = await accounts.find_by_address(runner, wanted.username, space.domain)
        if existing and not overwrite:
            raise Conflict(Text("The account {address} exists already", address=existing.sip_uri))
        password = random_token(PASSWORD_LENGTH) if wanted.password is None else wanted.password
        fields = Fields(username=None if existing else wanted.username, password=password)
        await self.rules.refuse(runner, space.domain, fields, by_admin=True)
        if existing:
            account_id = await _overwrite(runner, space, existing, password)
        else:
            account_id = await _add(runner, space, wanted.username, password)
        key = random_token(KEY_LENGTH)
        await api_keys.add_admin_key(
            runner, account_id, KEY_NAME, hash_key(key), key[:SHOWN_OF_KEY], wanted.key_ip, minutes=0
        )
        return Administrator(account_id, wanted.username, space.domain, password if space.digest else None, key)


async def open_space(runner: Runner, domain: str, *, is_super: bool = False) -> Space:
    """Create a Space whose domain, host and name are the same, with a digest configuration.

    :raise ConstraintViolated: one of them is taken.
    """
    await spaces.create(runner, {"domain": domain, "host": domain, "name": domain, "super": is_super})
    space = await _space(runner, domain)
    digest = DigestConfiguration(domain)
    await spaces.set_digest(runner, space.id, digest)
    return evolve(space, digest=digest)


async def _space(runner: Runner, domain: str | None) -> Space:
    space = await spaces.first(runner) if domain is None else await spaces.find(runner, domain.lower())
    if space is None and domain is None:
        raise NotFound(Text("There is no Space yet, make one with: flexid spaces create-update"))
    if space is None:
        raise NotFound(Text("No Space has the domain {domain}", domain=domain))
    return space


async def _overwrite(runner: Runner, space: Space, existing: Account, password: str) -> int:
    await account_changes.change(runner, evolve(existing, admin=True, activated=True, blocked=False))
    if stored := hashed(space, existing.username, password):
        await account_changes.set_password(runner, existing.id, stored)
    return existing.id


async def _add(runner: Runner, space: Space, username: str, password: str) -> int:
    password_hash = hashed(space, username, password)
    new = NewAccount(username=username, domain=space.domain, activated=True, admin=True, password=password_hash)
    try:
        account = await account_changes.create(runner, new, new_provisioning_token(), HERE, space.name)
    except ConstraintViolated as violation:
        if violation.constraint == "spaces_full":
            raise Forbidden(Text("The Space {domain} is full", domain=space.domain)) from None
        raise Invalid.field("username", Text("It is taken by a phone number or a deleted account")) from None
    return account.id
