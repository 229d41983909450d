"""Seed files: accounts and ranges of accounts, written as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal
from urllib.parse import quote

from pydantic import AfterValidator, BaseModel, Field, TypeAdapter, ValidationError

from flexid.base.text import Text
from flexid.domain import names
from flexid.domain.errors import Invalid
from flexid.domain.passwords import StoredPassword

ID, POSTFIX = "%id%", "%usernamePostfix%"
LARGEST_ID = 2**53 - 1
"""What every reader of JSON takes for a whole number."""


def _domain(value: str) -> str:
    if not names.is_domain(value):
        raise ValueError("must be a domain name in lower case")
    return value


def _username(value: str) -> str:
    if value != value.lower() or names.NEVER_IN_USERNAMES.search(value):
        raise ValueError("must be in lower case, without blanks and what a SIP address cannot hold")
    return value


def _counted(value: str) -> str:
    if POSTFIX not in value:
        raise ValueError(f"must contain {POSTFIX}")
    _username(value.replace(POSTFIX, "").replace(ID, ""))
    return value


Id = Annotated[int, Field(ge=1, le=LARGEST_ID)]
Domain = Annotated[str, AfterValidator(_domain)]
Username = Annotated[str, Field(min_length=1, max_length=names.USERNAME_LENGTH), AfterValidator(_username)]


class Password(BaseModel):
    """A stored hash (HA1), as it is."""

    hash: Annotated[str, Field(min_length=1, max_length=255)]
    algorithm: Literal["MD5", "SHA-256"]

    def stored(self) -> StoredPassword:
        """Return it as the domain knows it."""
        return StoredPassword(self.algorithm, self.hash)


class Account(BaseModel):
    """One account."""

    type: Literal["account"]
    id: Id
    username: Username
    domain: Domain
    phone: str | None = None
    activated: bool = True
    passwords: tuple[Password, ...] = ()

    def accounts(self) -> Iterator[Account]:
        """Yield the accounts that the entry stands for."""
        yield self

    def ids(self) -> range:
        """Return the ids of the accounts that the entry stands for."""
        return range(self.id, self.id + 1)

    @property
    def email(self) -> str:
        """Return the account's email address."""
        return f"{quote(self.username, safe='')}@{self.domain}"


class Range(BaseModel):
    """`iteration` accounts with consecutive ids and numbered usernames."""

    type: Literal["range"]
    id: Literal["%id%"]
    username: Annotated[str, AfterValidator(_counted)]
    domain: Domain
    iteration: Annotated[int, Field(ge=0, le=10_000_000)]
    first_id: Annotated[Id, Field(alias="idStart")]
    first_postfix: Annotated[int, Field(alias="usernameStart", ge=0, le=LARGEST_ID)]
    passwords: tuple[Password, ...] = ()

    def accounts(self) -> Iterator[Account]:
        """Yield the accounts that the entry stands for."""
        for i in range(self.iteration):
            account_id = self.first_id + i
            username = self.username.replace(ID, str(account_id)).replace(POSTFIX, str(self.first_postfix + i))
            yield Account.model_construct(
                type="account", id=account_id, username=username, domain=self.domain, passwords=self.passwords
            )

    def ids(self) -> range:
        """Return the ids of the accounts that the entry stands for."""
        return range(self.first_id, self.first_id + self.iteration)


Entry = Account | Range
_FILE = TypeAdapter(list[Annotated[Entry, Field(discriminator="type")]])


def read(content: bytes) -> list[Entry]:
    """Return the entries of a seed file.

    :raise Invalid: naming every entry and field that is wrong.
    """
    try:
        return _FILE.validate_json(content)
    except ValidationError as error:
        faults: dict[str, list[Text]] = {}
        for problem in error.errors(include_url=False, include_input=False):
            reason = problem["msg"].removeprefix("Value error, ")
            faults.setdefault(_place(problem["loc"]), []).append(Text("{reason}", reason=reason))
        raise Invalid(faults) from None


def _place(location: tuple[int | str, ...]) -> str:
    match location:
        case []:
            return "file"
        case [int(number)]:
            return f"entry {number + 1}"
        case [int(number), _, *rest]:
            return f"entry {number + 1}: {'.'.join(str(part) for part in rest) or 'type'}"
    return ".".join(str(part) for part in location)
