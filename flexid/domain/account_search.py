"""The portal's list of accounts: what somebody wishes to see of it, and what is found."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Literal, TypeVar, get_args

from attrs import field, frozen

from flexid.domain.pages import page_number
from flexid.domain.search_text import SearchText

Sort = Literal["id", "username", "email", "phone", "status", "updated_at"]
Role = Literal["admin", "user"]
Status = Literal["active", "inactive", "blocked"]
Name = TypeVar("Name", bound=str)

EVERY_SPACE = "*"
"""Stands for all domains where one could be named."""
SORTS: tuple[Sort, ...] = get_args(Sort)
SORTS_OF_EVERY_SPACE: tuple[Sort, ...] = ("id", "username")
"""The other orders are kept within each Space only."""
ROLES: tuple[Role, ...] = get_args(Role)
STATUSES: tuple[Status, ...] = get_args(Status)
PER_PAGE, LARGEST_PAGE = 20, 100
DESCENDING = "desc"

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@frozen
class AccountSearchWish:
    """What to show: accounts that all of it is true of; None and an empty text leave the choice open."""

    text: SearchText = field(factory=SearchText)
    domain: str | None = None
    """A SIP domain, or `EVERY_SPACE`."""
    contacts_list: int | None = None
    """Members of the contacts list with this id."""
    updated_on: date | None = None
    """The day of the last change, in UTC."""
    role: Role | None = None
    status: Status | None = None
    activated: bool | None = None
    """Of blocked accounts as well, unlike the status."""
    updated_since: datetime | None = None
    sort: Sort = "id"
    descending: bool = False
    page: int = 1
    per_page: int = PER_PAGE

    @classmethod
    def read(cls, query: Mapping[str, str]) -> AccountSearchWish:
        """Return what a query string asks for; what makes no sense there is left out.

        Its fields are `q`, `domain`, `contacts_list`, `updated_on` (YYYY-MM-DD), `role`, `status`, `sort`, `order`
        (asc, desc), `page` and `per_page`.
        """
        per_page = page_number(query.get("per_page"), PER_PAGE)
        return cls(
            text=SearchText.read(query.get("q", "")),
            domain=_domain(query.get("domain", "")),
            contacts_list=page_number(query.get("contacts_list"), 0) or None,
            updated_on=_day(query.get("updated_on", "")),
            role=_one_of(ROLES, query.get("role")),
            status=_one_of(STATUSES, query.get("status")),
            sort=_one_of(SORTS, query.get("sort")) or "id",
            descending=query.get("order") == DESCENDING,
            page=page_number(query.get("page")),
            per_page=per_page if per_page <= LARGEST_PAGE else PER_PAGE,
        )

    @property
    def every_space(self) -> bool:
        """Say whether accounts of all domains are asked for."""
        return self.domain == EVERY_SPACE

    @property
    def narrowed(self) -> bool:
        """Say whether anything but the domain leaves accounts out."""
        filters = (self.contacts_list, self.updated_on, self.role, self.status, self.activated, self.updated_since)
        return bool(self.text) or any(wished is not None for wished in filters)


@frozen
class AccountLine:
    """What a list shows of an account."""

    id: int
    username: str
    domain: str
    display_name: str | None
    email: str | None
    phone: str | None
    activated: bool
    admin: bool
    blocked: bool
    updated_at: datetime

    @property
    def status(self) -> Status:
        """Return the one of the three that it is found by: a blocked account is neither active nor inactive."""
        if self.blocked:
            return "blocked"
        return "active" if self.activated else "inactive"


@frozen
class FoundAccounts:
    """A page of the list."""

    wish: AccountSearchWish
    """What is shown: as wished, with the nearest page and order that there are."""
    lines: tuple[AccountLine, ...]
    total: int
    """How many accounts there are; where `is_more`, at least so many."""
    is_more: bool
    """Whether `total` is only what could be counted quickly."""
    last_page: int
    """The last page that can be asked for; where `is_more`, accounts may stand behind it."""


@frozen
class ContactsListTitle:
    """A contacts list to choose from."""

    id: int
    title: str


def _one_of(names: tuple[Name, ...], text: str | None) -> Name | None:
    return next((name for name in names if name == text), None)


def _domain(text: str) -> str | None:
    # What no domain can contain is replaced by what none contains either, so that it finds nothing.
    return text.strip().lower().encode("ascii", "replace").decode().replace("\0", "?")[:254] or None


def _day(text: str) -> date | None:
    if not _DAY.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
