"""Pages of long lists."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flexid.domain.pages import envelope, page_number

PATH = "http://pages.localhost/api/accounts"


def page_of(total: int, page: int, per_page: int = 20, **extra: str) -> dict[str, Any]:
    on_page = max(0, min(per_page, total - (page - 1) * per_page))
    return envelope([{}] * on_page, total, page, per_page, PATH, extra)


def labels(total_pages: int, page: int) -> list[str]:
    return [link["label"] for link in page_of(total_pages * 20, page)["links"][1:-1]]


@pytest.mark.parametrize(("text", "number"), [("1", 1), ("2", 2), ("50000", 50_000), ("999999999", 999_999_999)])
def test_a_number_is_a_page(text: str, number: int) -> None:
    assert page_number(text) == number


@pytest.mark.parametrize(
    "text", [None, "", "0", "-1", "+2", " 2", "2 ", "2\n", "1.5", "two", "٢", "1000000000", "9" * 9999]
)
def test_nonsense_is_page_1(text: str | None) -> None:
    assert page_number(text) == 1


@given(st.text())
def test_any_text_is_some_page(text: str) -> None:
    assert 1 <= page_number(text) <= 999_999_999


def test_the_last_of_two_pages_is_as_the_apps_know_it() -> None:
    answer = envelope([{"id": 724}, {"id": 725}], 22, 2, 20, PATH, {})
    assert list(answer.items()) == [
        ("current_page", 2),
        ("data", [{"id": 724}, {"id": 725}]),
        ("first_page_url", "http://pages.localhost/api/accounts?page=1"),
        ("from", 21),
        ("last_page", 2),
        ("last_page_url", "http://pages.localhost/api/accounts?page=2"),
        (
            "links",
            [
                {
                    "url": "http://pages.localhost/api/accounts?page=1",
                    "label": "&laquo; Previous",
                    "page": 1,
                    "active": False,
                },
                {"url": "http://pages.localhost/api/accounts?page=1", "label": "1", "page": 1, "active": False},
                {"url": "http://pages.localhost/api/accounts?page=2", "label": "2", "page": 2, "active": True},
                {"url": None, "label": "Next &raquo;", "page": None, "active": False},
            ],
        ),
        ("next_page_url", None),
        ("path", "http://pages.localhost/api/accounts"),
        ("per_page", 20),
        ("prev_page_url", "http://pages.localhost/api/accounts?page=1"),
        ("to", 22),
        ("total", 22),
    ]


def test_the_first_page_has_none_before_it() -> None:
    answer = page_of(45, 1)
    assert answer["prev_page_url"] is None
    assert answer["next_page_url"] == f"{PATH}?page=2"
    assert answer["links"][0] == {"url": None, "label": "&laquo; Previous", "page": None, "active": False}
    assert answer["links"][-1] == {"url": f"{PATH}?page=2", "label": "Next &raquo;", "page": 2, "active": False}
    assert (answer["from"], answer["to"], answer["last_page"]) == (1, 20, 3)


def test_an_empty_list_has_one_empty_page() -> None:
    answer = page_of(0, 1)
    assert answer["data"] == []
    assert (answer["from"], answer["to"], answer["last_page"], answer["total"]) == (None, None, 1, 0)
    assert (answer["prev_page_url"], answer["next_page_url"]) == (None, None)
    assert labels(0, 1) == ["1"]


def test_beyond_the_end_there_is_nothing() -> None:
    answer = page_of(22, 5)
    assert answer["data"] == []
    assert (answer["current_page"], answer["from"], answer["to"], answer["last_page"]) == (5, None, None, 2)
    assert (answer["prev_page_url"], answer["next_page_url"]) == (f"{PATH}?page=4", None)
    assert not any(link["active"] for link in answer["links"])


def test_a_full_last_page_is_the_last() -> None:
    assert page_of(40, 2)["last_page"] == 2


@pytest.mark.parametrize("page", [1, 5, 10])
def test_up_to_ten_pages_are_all_linked(page: int) -> None:
    assert labels(10, page) == [str(number) for number in range(1, 11)]


@pytest.mark.parametrize(
    ("page", "shown"),
    [
        (1, "1 2 3 4 ... 49 50"),
        (6, "1 2 3 4 5 6 7 8 9 ... 49 50"),
        (7, "1 2 ... 4 5 6 7 8 9 10 ... 49 50"),
        (25, "1 2 ... 22 23 24 25 26 27 28 ... 49 50"),
        (45, "1 2 ... 42 43 44 45 46 47 48 49 50"),
        (50, "1 2 ... 47 48 49 50"),
        (99, "1 2 ... 49 50"),
        (999_999_999, "1 2 ... 49 50"),
    ],
)
def test_of_more_pages_the_ends_and_the_neighbours_are_linked(page: int, shown: str) -> None:
    assert " ".join(labels(50, page)) == shown


def test_a_gap_links_nowhere() -> None:
    assert page_of(1000, 25)["links"][3] == {"url": None, "label": "...", "page": None, "active": False}


def test_the_rest_of_the_query_is_repeated_in_every_link() -> None:
    answer = page_of(45, 2, per_page=20, domain="a&b.org")
    urls = [answer[key] for key in ("first_page_url", "last_page_url", "next_page_url", "prev_page_url")]
    urls += [link["url"] for link in answer["links"]]
    assert all(url.startswith(f"{PATH}?domain=a%26b.org&page=") for url in urls)
    assert answer["path"] == PATH
