"""Filling a database with accounts, for load tests and test suites."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import TypeVar

from attrs import frozen

from flexid.base.clock import random_tokens
from flexid.base.text import Text
from flexid.domain.errors import Conflict
from flexid.services.accounts import PROVISIONING_TOKEN_LENGTH
from flexid.services.administrators import open_space
from flexid.services.seed_files import Account, Entry
from flexid.store import seeds, spaces
from flexid.store.database import Database
from flexid.store.failures import ConstraintViolated
from flexid.store.query import Runner
from flexid.store.seeds import Holder, SeededAccount

T = TypeVar("T")

BATCH = 10_000
LONGEST_STATEMENT = 60.0


@frozen
class Seeded:
    """What was written."""

    accounts: int
    spaces: tuple[str, ...]
    """Domains of the Spaces that were missing."""


@frozen
class Seeding:
    """The use case."""

    database: Database

    async def seed(self, entries: Sequence[Entry]) -> Seeded:
        """Write the accounts, whole or not at all: those with the same ids are replaced, missing Spaces made.

        :raise Conflict: a name is held by an account with another id, or an id or a name comes twice.
        """
        count = 0
        async with self.database.transaction(LONGEST_STATEMENT) as transaction:
            missing = await _open_missing_spaces(transaction, entries)
            for ids in _batches(chain.from_iterable(entry.ids() for entry in entries)):
                await seeds.delete(transaction, ids)
            for batch in _batches(chain.from_iterable(entry.accounts() for entry in entries)):
                await _create(transaction, batch)
                count += len(batch)
            await seeds.move_sequence(transaction)
        return Seeded(count, missing)


def _batches(items: Iterator[T]) -> Iterator[list[T]]:
    while batch := list(islice(items, BATCH)):
        yield batch


async def _open_missing_spaces(runner: Runner, entries: Sequence[Entry]) -> tuple[str, ...]:
    opened = []
    for domain in dict.fromkeys(entry.domain for entry in entries):
        if await spaces.find(runner, domain) is None:
            await open_space(runner, domain)
            opened.append(domain)
    return tuple(opened)


async def _create(runner: Runner, accounts: Sequence[Account]) -> None:
    tokens = random_tokens(len(accounts), PROVISIONING_TOKEN_LENGTH)
    seeded = [_seeded(account, token) for account, token in zip(accounts, tokens, strict=True)]
    if holder := await seeds.taken(runner, seeded):
        raise Conflict(_taken(holder))
    try:
        await seeds.create(runner, seeded)
    except ConstraintViolated as violation:
        if violation.constraint == "spaces_full":
            raise Conflict(Text("A Space has less room than that")) from None
        raise Conflict(Text("An id, a name or an email address comes twice ({what})", what=violation)) from None


def _taken(holder: Holder) -> Text:
    if holder.account_id is None:
        return Text("{name} in {domain} is taken by a deleted account", name=holder.name, domain=holder.domain)
    return Text(
        "{name} in {domain} is taken, {kind} of the account {id}",
        name=holder.name,
        domain=holder.domain,
        kind=holder.kind,
        id=holder.account_id,
    )


def _seeded(account: Account, token: str) -> SeededAccount:
    return SeededAccount(
        account.id,
        account.username,
        account.domain,
        account.email,
        account.phone,
        account.activated,
        tuple(password.stored() for password in account.passwords),
        token,
    )
