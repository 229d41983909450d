"""What a query string asks of the list of accounts."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flexid.domain.account_search import LARGEST_PAGE, SORTS, AccountSearchWish
from flexid.domain.search_text import LONGEST, MOST_WORDS, SearchText

FIELDS = ("q", "domain", "contacts_list", "updated_on", "role", "status", "sort", "order", "page", "per_page")


def words(text: str) -> tuple[str, ...]:
    return SearchText.read(text).words


def digits(text: str) -> str | None:
    return SearchText.read(text).digits


def test_nothing_asked_for_is_the_first_page_of_everything() -> None:
    wish = AccountSearchWish.read({})
    assert wish == AccountSearchWish()
    assert (wish.sort, wish.descending, wish.page, wish.per_page, wish.narrowed) == ("id", False, 1, 20, False)


def test_everything_can_be_asked_for() -> None:
    assert AccountSearchWish.read(
        {
            "q": "Alice",
            "domain": "SIP.Example.org",
            "contacts_list": "7",
            "updated_on": "2026-11-23",
            "role": "admin",
            "status": "blocked",
            "sort": "email",
            "order": "desc",
            "page": "3",
            "per_page": "50",
        }
    ) == AccountSearchWish(
        text=SearchText.read("Alice"),
        domain="sip.example.org",
        contacts_list=7,
        updated_on=date(2026, 11, 23),
        role="admin",
        status="blocked",
        sort="email",
        descending=True,
        page=3,
        per_page=50,
    )


@pytest.mark.parametrize(
    ("field", "nonsense"),
    [
        *(("page", text) for text in ("abc", "-1", "0", "1.5", "1e3", str(10**30), "\uff11", "")),
        *(("per_page", text) for text in ("0", "101", "-5", str(10**30), "all")),
        *(("sort", text) for text in ("drop table", "password", "ID", "id; --")),
        *(("order", text) for text in ("up", "DESC", "desc; --")),
        *(("updated_on", text) for text in ("2026-99-99", "2026-02-30", "0000-01-01", "2026-W01-1", "20260101")),
        *(("contacts_list", text) for text in ("abc", "-1", "0", str(10**30))),
        *(("role", text) for text in ("root", "Admin")),
        *(("status", text) for text in ("activated", "")),
        *(("q", text) for text in ("", "   ", "\0\0", "\t\r\n", "sip:")),
        ("domain", "  "),
    ],
)
def test_nonsense_is_left_out(field: str, nonsense: str) -> None:
    wish = AccountSearchWish.read({field: nonsense})
    assert wish == AccountSearchWish(text=wish.text)
    assert not wish.narrowed


@given(st.dictionaries(st.sampled_from(FIELDS), st.text() | st.from_regex(r"[0-9]{1,40}", fullmatch=True)))
def test_whatever_is_asked_has_a_bounded_meaning(query: dict[str, str]) -> None:
    wish = AccountSearchWish.read(query)
    assert wish.sort in SORTS
    assert 1 <= wish.page < 10**9
    assert 1 <= wish.per_page <= LARGEST_PAGE
    assert wish.contacts_list is None or 0 < wish.contacts_list < 10**9
    assert wish.domain is None or (wish.domain.isascii() and "\0" not in wish.domain and len(wish.domain) <= 254)


@given(st.text(st.characters(), max_size=400))
def test_any_text_is_cut_into_a_few_words_that_a_database_can_hold(text: str) -> None:
    read = SearchText.read(text)
    assert len(read.typed) <= LONGEST
    assert len(read.words) <= MOST_WORDS
    for word in read.words:
        assert word
        assert not any(character.isspace() or character == "\0" for character in word)
        word.encode()


def test_ten_thousand_characters_are_cut() -> None:
    assert len(str(SearchText.read("a" * 10_000))) == LONGEST


def test_what_was_typed_can_be_shown_again() -> None:
    assert str(SearchText.read("sip:alice@sip.example.org;transport=tls")) == "sip:alice@sip.example.org;transport=tls"


@pytest.mark.parametrize(
    "text", ["sip:alice@sip.example.org", "SIPS:alice@sip.example.org", "<sip:alice@sip.example.org;transport=tls>"]
)
def test_an_address_is_searched_without_what_is_around_it(text: str) -> None:
    assert words(text) == ("alice@sip.example.org",)


def test_words_are_divided_by_spaces_and_by_control_characters() -> None:
    assert words(" alice\tof\0the\u00a0moor ") == ("alice", "of", "the", "moor")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("+33 6 12 34 56 78", "33612345678"),
        ("06 12 34 56 78", "612345678"),
        ("0033 612345678", "33612345678"),
        ("(06) 12.34-56/78", "612345678"),
        ("6 12", "612"),
    ],
)
def test_a_number_in_groups_is_nothing_but_its_digits(text: str, number: str) -> None:
    assert (words(text), digits(text)) == ((), number)


@pytest.mark.parametrize(("text", "number"), [("0612345678", "612345678"), ("2024-01-02", "20240102")])
def test_what_may_be_a_name_or_a_number_is_both(text: str, number: str) -> None:
    assert (words(text), digits(text)) == ((text,), number)


@pytest.mark.parametrize(
    ("text", "phone"),
    [
        ("+33 6 12", "+33612"),
        ("+33612", "+33612"),
        ("0033612", "+33612"),
        ("33612", None),
        ("0612", None),
        ("+33 alice", None),
    ],
)
def test_a_number_with_its_country_is_whole(text: str, phone: str | None) -> None:
    assert SearchText.read(text).phone == phone


@pytest.mark.parametrize("text", ["+33612", "33612", "12", "1 2", "alice", "06 12 a", "+"])
def test_other_texts_are_words_only(text: str) -> None:
    assert (words(text), digits(text)) == (tuple(text.split()), None)
