"""The frames around pages, and the styleguide, which shows every component in one of them."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from support.markup import Document, page, viewer

from flexid.base.text import Text

PAGES = {
    "app": lambda language, **changes: page("error.html", language, status=404, message="Not found", **changes),
    "gate": lambda language, **changes: page(
        "error.html", language, status=404, message="Not found", **{"viewer": None, **changes}
    ),
    "styleguide": lambda language, **changes: page("styleguide/page.html", language, **changes),
}


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_whole_and_can_be_walked_by_ear(name: str, language: str) -> None:
    document = PAGES[name](language, logo_url="/logo/1")
    assert document.html.startswith("<!doctype html>")
    assert not document.unclosed
    assert document.one("html")["lang"] == language
    assert document.one("h1").text.strip()
    assert document.one("main")["id"] == "main"
    assert document.one("title").text.endswith(" · Example Telecom")
    assert document.one("a", class_="skip")["href"] == "#main"
    assert [element for element in document.ids().items() if element[1] > 1] == []
    assert document.references() <= document.ids().keys()
    _every_control_has_a_name(document)


def _every_control_has_a_name(document: Document) -> None:
    labelled = {label["for"] for label in document.all("label") if label.get("for")}
    for control in [*document.all("input"), *document.all("select"), *document.all("textarea")]:
        if control.get("type") != "hidden":
            assert control.get("id") in labelled or control.get("aria-label"), control
    for control in [*document.all("a"), *document.all("button")]:
        assert control.text.strip(), control
    for picture in document.all("img"):
        assert picture.get("alt") is not None


def test_the_theme_is_printed_so_that_no_page_flashes() -> None:
    assert PAGES["app"]("en", theme="dark").one("html")["data-theme"] == "dark"
    assert PAGES["app"]("en").one("html").get("data-theme") is None


def test_a_page_takes_its_colours_from_the_space() -> None:
    assert [link["href"] for link in PAGES["app"]("en", hue=200).all("link", rel="stylesheet")] == [
        "/static/flexid.css",
        "/theme/200.css",
    ]


@pytest.mark.parametrize("name", ["app", "gate"])
def test_the_logo_of_the_space_stands_where_our_mark_would(name: str) -> None:
    assert PAGES[name]("en", logo_url="/logo/1").one("img", class_="logo")["src"] == "/logo/1"
    assert not PAGES[name]("en").all("img")
    assert PAGES[name]("en").one("svg", class_="mark")


def _keys(who: SimpleNamespace, here: str = "/") -> list[str]:
    document = PAGES["app"]("en", viewer=who, here=here)
    return [link["href"] for link in document.all("a") if link["href"] in KEYS]


OWN = ["/dashboard", "/password", "/auth_token"]
ADMIN = ["/admin/accounts", "/admin/spaces/me", "/admin/api_keys"]
SUPER = ["/admin/spaces", "/admin/phone_countries"]
KEYS = {*OWN, *ADMIN, *SUPER}


def test_each_sees_the_keys_that_are_for_them() -> None:
    home = ["/dashboard"]  # the name of the Space, and the link of this page, lead there too
    assert _keys(viewer()) == [*home, *OWN, *home]
    assert _keys(viewer(admin=True)) == [*home, *ADMIN, *OWN, *home]
    assert _keys(viewer(admin=True, super_admin=True)) == [*home, *ADMIN, *SUPER, *OWN, *home]
    assert PAGES["styleguide"]("en", viewer=None).all("a", href="/login")


@pytest.mark.parametrize(
    ("here", "super_admin", "lit"),
    [
        ("/dashboard", False, "/dashboard"),
        ("/admin/accounts", False, "/admin/accounts"),
        ("/admin/accounts/7/edit", False, "/admin/accounts"),
        ("/admin/spaces/me", True, "/admin/spaces/me"),
        ("/admin/spaces/3", False, "/admin/spaces/me"),
        ("/admin/spaces/3", True, "/admin/spaces"),
        ("/admin/spaces", True, "/admin/spaces"),
        ("/about", False, None),
    ],
)
def test_the_key_of_the_page_is_lit(*, here: str, super_admin: bool, lit: str | None) -> None:
    document = PAGES["app"]("en", viewer=viewer(admin=True, super_admin=super_admin), here=here)
    current = [link for link in document.all("a") if link.get("aria-current")]
    assert [link["href"] for link in current] == ([lit] if lit else [])
    assert [link["aria-current"] for link in current] == ([] if lit is None else ["page" if here == lit else "true"])


def test_one_signs_out_by_a_form_with_the_token() -> None:
    document = PAGES["app"]("en")
    assert document.one("form", action="/logout")["method"] == "post"
    assert document.one("input", name="csrf_token")["value"] == "the-token"


def test_other_languages_are_offered_in_their_own_words() -> None:
    link = PAGES["gate"]("en").one("a", hreflang="fr")
    assert (link["href"], link["lang"], link.text) == ("?lang=fr", "fr", "Français")
    assert PAGES["gate"]("fr").one("a", hreflang="en").text == "English"


@pytest.mark.parametrize("who", [viewer(), None])
def test_a_flash_is_shown_once_and_escaped(who: SimpleNamespace | None) -> None:
    flash = SimpleNamespace(kind="good", text=Text("Account {name} created", name="<b>lea"))
    document = PAGES["app"]("en", viewer=who, flash=flash)
    assert document.one("div", role="status").text == "Account <b>lea created"
    assert not document.all("b")


def test_a_title_tells_that_something_is_to_be_corrected() -> None:
    document = page("styleguide/page.html", errors={"x": [Text("Wrong")]})
    assert document.one("title").text.startswith("To correct: ")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 410, 413, 422, 429, 490, 500, 503])
def test_a_refusal_says_what_to_do_next(status: int) -> None:
    document = page("error.html", status=status, message="No")
    assert [paragraph for paragraph in document.all("p") if not paragraph.get("class") and paragraph.text.strip()]
    assert document.one("h1").text == "No"


def test_a_host_without_a_space_gets_a_page_without_links_into_one() -> None:
    document = PAGES["gate"]("en", space=None)
    assert document.one("title").text == "Not found · flexid"
    assert [link["href"] for link in document.all("a")] == ["#main"]
