"""Pages of long lists: how the API shows them, and how they are asked for."""

from __future__ import annotations

from typing import Generic, TypedDict, TypeVar

from flexid.http.routes import Parameter

T = TypeVar("T")


class PageLinkAnswer(TypedDict):
    """A link to a page: the one before, one by its number, a gap, or the next."""

    url: str | None
    label: str
    page: int | None
    active: bool


# No class can declare a field of this name.
_From = TypedDict("_From", {"from": int | None})


class PageAnswer(_From, Generic[T]):
    """A page of a list, with what is around it; `from` and `to` are the first and the last item on it."""

    current_page: int
    data: list[T]
    first_page_url: str
    last_page: int
    last_page_url: str
    links: list[PageLinkAnswer]
    next_page_url: str | None
    path: str
    per_page: int
    prev_page_url: str | None
    to: int | None
    total: int


def of_pages(usual: int, most: int) -> tuple[Parameter, ...]:
    """Return how a page is asked for, where `usual` items are on one."""
    return (
        Parameter("page", "The number of the page, from 1.", int),
        Parameter("per_page", f"How many are on a page: 1 to {most}, and {usual} if nothing is said.", int),
    )
