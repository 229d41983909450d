"""What super administrators do with Spaces."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, time
from typing import Any

from attrs import frozen

from flexid.base.clock import Clock
from flexid.base.text import Text
from flexid.domain import ini, names
from flexid.domain.errors import Invalid, NotFound
from flexid.domain.space import DigestConfiguration, Space
from flexid.services.space_directory import SpaceDirectory
from flexid.store import accounts, spaces
from flexid.store.database import Database
from flexid.store.failures import ConstraintViolated
from flexid.store.query import Runner

DELETION_SECONDS = 600.0
"""How long it may take to delete a Space with all its accounts."""
TAKEN = {
    "domain": Text("The domain has already been taken."),
    "host": Text("The host has already been taken."),
    "name": Text("The name has already been taken."),
}
First = Callable[[Runner], Awaitable[None]]
"""What has to be done, or to be refused, in the same transaction before a Space is changed."""


@frozen
class Spaces:
    """The use cases; `values` are columns by name, as far as the caller names them."""

    database: Database
    directory: SpaceDirectory
    clock: Clock
    root_host: str

    async def every(self) -> list[Space]:
        """Return all Spaces."""
        return await spaces.every(self.database)

    async def show(self, domain: str) -> Space:
        """Return a Space.

        :raise NotFound: no such Space.
        """
        return _found(await spaces.find(self.database, domain.lower()))

    async def faults(self, values: Mapping[str, Any], but: Space | None = None) -> dict[str, list[Text]]:
        """Return what would be refused; `but` is the Space that is changed."""
        faults: defaultdict[str, list[Text]] = defaultdict(list)
        domain, host, name = values.get("domain"), values.get("host"), values.get("name")
        if domain and not names.is_domain(domain):
            faults["domain"].append(Text("The domain must be a valid domain name"))
        if host and not names.is_domain(host):
            faults["host"].append(Text("The host must be a valid host name"))
        elif host and not names.is_below(host, self.root_host):
            faults["host"].append(Text("The host must be {root_host} or a subdomain of it", root_host=self.root_host))
        expire_at = values.get("expire_at")
        if expire_at and expire_at < datetime.combine(self.clock.now(), time.min, UTC):
            faults["expire_at"].append(Text("The expire_at must be a date after or equal to today"))
        try:
            ini.parse(values.get("custom_provisioning_entries") or "")
        except Invalid as invalid:
            faults[ini.FIELD].extend(invalid.errors[ini.FIELD])
        if but and values.get("max_accounts"):
            count = await accounts.count(self.database, but.domain)
            if values["max_accounts"] < count:
                faults["max_accounts"].append(Text("The Space has {count} accounts already", count=count))
        taken = await spaces.taken(self.database, domain=domain, host=host, name=name, but=but.id if but else None)
        for field in taken:
            faults[field].append(TAKEN[field])
        return dict(faults)

    async def create(self, values: Mapping[str, Any]) -> Space:
        """Create a Space with a digest configuration: realm = its domain, algorithm SHA-256.

        :raise Invalid: fields are wrong, or domain, host or name taken.
        """
        if faults := await self.faults(values):
            raise Invalid(faults)
        try:
            async with self.database.transaction() as transaction:
                await spaces.create(transaction, values)
                space = _found(await spaces.find(transaction, values["domain"]))
                await spaces.set_digest(transaction, space.id, DigestConfiguration(space.domain))
        except ConstraintViolated:
            raise Invalid(await self.faults(values) or {"name": [TAKEN["name"]]}) from None
        self.directory.forget()
        return await self.show(values["domain"])

    async def change(self, domain: str, values: Mapping[str, Any], first: First | None = None) -> Space:
        """Change a Space.

        :raise NotFound: no such Space.
        :raise Invalid: fields are wrong, host or name taken, or two accounts share an email that is to be unique.
        """
        before = await self.show(domain)
        if faults := await self.faults(values, before):
            raise Invalid(faults)
        try:
            async with self.database.transaction() as transaction:
                if first:
                    await first(transaction)
                await spaces.change(transaction, before.domain, values)
        except ConstraintViolated as violation:
            if violation.constraint == "account_emails_pkey":
                raise Invalid.field("unique_email", Text("Some accounts share an email address")) from None
            if violation.constraint == "spaces_limit_below_count":
                raise Invalid.field("max_accounts", Text("The Space has more accounts already")) from None
            raise Invalid(await self.faults(values, before) or {"name": [TAKEN["name"]]}) from None
        self.directory.forget()
        return await self.show(before.domain)

    async def delete(self, domain: str, first: First | None = None) -> int:
        """Delete a Space and all that belongs to it; return how many there were."""
        async with self.database.transaction(DELETION_SECONDS) as transaction:
            if first:
                await first(transaction)
            deleted = await spaces.delete(transaction, domain.lower())
        self.directory.forget()
        return deleted

    async def set_digest(
        self, domain: str, digest: DigestConfiguration, *, drop_passwords: bool
    ) -> DigestConfiguration:
        """Set realm and algorithm; another realm makes the stored passwords worthless, so they must be dropped for it.

        :raise NotFound: no such Space.
        :raise Invalid: the realm changes while there are passwords, and nobody said to drop them.
        """
        async with self.database.transaction() as transaction:
            space = _found(await spaces.lock(transaction, domain.lower()))
            if digest.realm != space.realm and await spaces.has_passwords(transaction, space.domain):
                if not drop_passwords:
                    reason = Text("The realm cannot change while accounts have passwords, unless they are dropped")
                    raise Invalid.field("realm", reason)
                await spaces.drop_passwords(transaction, space.domain)
            await spaces.set_digest(transaction, space.id, digest)
        self.directory.forget()
        return digest

    async def drop_digest(self, domain: str) -> int:
        """Take digest authentication from a Space, and the passwords with it; return how many there were.

        :raise NotFound: no such Space.
        """
        async with self.database.transaction() as transaction:
            space = _found(await spaces.lock(transaction, domain.lower()))
            await spaces.drop_passwords(transaction, space.domain)
            dropped = await spaces.drop_digest(transaction, space.id)
        self.directory.forget()
        return dropped


def _found(space: Space | None) -> Space:
    if space is None:
        raise NotFound
    return space
