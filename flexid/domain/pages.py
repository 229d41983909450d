"""Pages of long lists: the envelope around them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from urllib.parse import urlencode

ALL_PAGES_LINKED = 10
"""Lists of more pages than this show only some of them."""
NEIGHBOURS = 3
ENDS = 2

_NUMBER = re.compile(r"[1-9][0-9]{0,8}")


def page_number(text: str | None, otherwise: int = 1) -> int:
    """Return the number that is asked for, 1 to 999,999,999; `otherwise` for anything that is no such number."""
    return int(text) if text is not None and _NUMBER.fullmatch(text) else otherwise


def envelope(
    data: Sequence[object],
    total: int,
    page: int,
    per_page: int,
    path_url: str,
    extra_query: Mapping[str, str],
) -> dict[str, object]:
    """Return a page of a list with what is around it.

    :param data: what is on this page.
    :param total: how many there are on all pages.
    :param path_url: address of the list without its query; `extra_query` is repeated in every link.
    """
    last = max(1, -(-total // per_page))
    first_item = (page - 1) * per_page + 1

    def url(number: int) -> str:
        return f"{path_url}?{urlencode([*extra_query.items(), ('page', str(number))])}"

    def link(label: str, number: int | None, *, active: bool = False) -> dict[str, object]:
        return {"url": None if number is None else url(number), "label": label, "page": number, "active": active}

    previous_page = page - 1 if page > 1 else None
    next_page = page + 1 if page < last else None
    return {
        "current_page": page,
        "data": list(data),
        "first_page_url": url(1),
        "from": first_item if data else None,
        "last_page": last,
        "last_page_url": url(last),
        "links": [
            link("&laquo; Previous", previous_page),
            *(
                link("..." if number is None else str(number), number, active=number == page)
                for number in _numbers_shown(page, last)
            ),
            link("Next &raquo;", next_page),
        ],
        "next_page_url": None if next_page is None else url(next_page),
        "path": path_url,
        "per_page": per_page,
        "prev_page_url": None if previous_page is None else url(previous_page),
        "to": first_item + len(data) - 1 if data else None,
        "total": total,
    }


def _numbers_shown(page: int, last: int) -> list[int | None]:
    """Return the numbers of pages that get a link, None where some are left out."""
    if last <= ALL_PAGES_LINKED:
        return list(range(1, last + 1))
    around = range(max(1, page - NEIGHBOURS), min(last, page + NEIGHBOURS) + 1)
    shown = sorted({*range(1, ENDS + 1), *around, *range(last - ENDS + 1, last + 1)})
    numbers: list[int | None] = [shown[0]]
    for before, number in pairwise(shown):
        numbers += [number] if number == before + 1 else [None, number]
    return numbers
