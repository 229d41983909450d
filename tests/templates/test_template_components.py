"""Macros: each one with hostile values, and what the ones with rules do."""

from __future__ import annotations

from typing import Any

import pytest
from support.markup import Document, environment, read, values

from flexid.base.shipped import TEMPLATES
from flexid.base.text import Text

EVIL = '"><script>alert(1)</script>'
CALLS = {
    "buttons.html": [
        "button(evil, evil, about=evil, name=evil, value=evil)",
        "link(evil, evil, evil, about=evil)",
        "icon_button(evil, evil)",
        "icon_link(evil, evil, evil)",
        "danger_link(evil, evil, dialog=evil, about=evil)",
        "copy_button(evil, evil)",
        "theme_switch()",
    ],
    "cards.html": [
        "card(evil, evil, icon=evil, beside=evil, look=evil)",
        "facts()",
        "fact(evil, evil, look=evil)",
        "figures([(evil, evil)])",
    ],
    "choices.html": [
        "switch(evil, evil, hint=evil)",
        "tick(evil, evil, hint=evil)",
        "choice(evil, evil, [(evil, evil)], evil, hint=evil)",
    ],
    "confirm.html": [
        "confirm_form(evil, evil, evil, identifier=evil, text=evil, name=evil)",
        "dialog(evil, evil)",
    ],
    "editor.html": ["editor(evil, evil, evil, hint=evil, placeholder=evil)"],
    "feedback.html": [
        "lamp(evil, evil)",
        "badge(evil, evil)",
        "flash_message(evil, evil)",
        "error_summary({evil: [wrong]}, {evil: evil})",
        "progress(evil, 1)",
        "stages(evil, [evil], 0)",
        "empty(evil, evil)",
    ],
    "fields.html": [
        "field(evil, evil, evil, evil, hint=evil, affix=evil, beside=evil, look=evil, placeholder=evil)",
        "password_field(evil, evil, hint=evil)",
        "code_field(evil, evil)",
        "select_field(evil, evil, [(evil, evil)], evil)",
        "area_field(evil, evil, evil, hint=evil)",
        "hue_field(evil, evil, evil)",
    ],
    "forms.html": ["csrf()", "method(evil)", "save_bar(evil, evil, evil)", "act(evil, evil, about=evil, verb=evil)"],
    "icons.html": ["icon(evil, evil)"],
    "captcha.html": ['captcha_field({"site_key": evil})'],
    "identity.html": ["sip(evil, evil, evil)", "sip_link(evil, evil, evil)"],
    "lists.html": [
        "filters(evil, evil, evil, evil, evil, clear=evil, live=evil)",
        "results(evil, evil, evil)",
        "table(evil)",
        "head(evil, evil, evil, evil)",
        "tick_all()",
        "tick_row(evil, evil, evil, evil)",
        "bulk_bar(evil, evil, evil)",
        "page_links([link, link, link, link], evil)",
    ],
    "navigation.html": ["crumbs([(evil, evil), (evil, none)])", "tabs(evil, [(evil, evil, evil)], evil)"],
    "provisioning.html": [
        "copyable(evil, evil, evil)",
        "qr_card(evil, evil, evil, evil, evil, evil, evil)",
        "provisioning_steps()",
    ],
    "wrong.html": ["state(evil, [wrong], evil)", "problem(evil, [wrong])", "hint_below(evil, evil)"],
}
WRONG = Text("This is not {what}", what=EVIL)


def draw(file: str, call: str, body: str = "", **changes: Any) -> Document:
    """Return what a macro makes, called as pages do."""
    name = call.partition("(")[0]
    shown = f"{{% call {call} %}}{body}{{% endcall %}}" if body else f"{{{{ {call} }}}}"
    template = environment().from_string(f'{{% from "components/{file}" import {name} with context %}}{shown}')
    return read(template.render(**values(language="en", **changes)))


def test_every_macro_is_tried_with_hostile_values() -> None:
    for path in (TEMPLATES / "components").glob("*.html"):
        module = environment().get_template(f"components/{path.name}").make_module(values(language="en"))
        macros = {name for name, value in vars(module).items() if callable(value) and name[0] not in "_ "}
        assert macros == {call.partition("(")[0] for call in CALLS[path.name]}, path


@pytest.mark.parametrize(("file", "call"), [(file, call) for file, calls in CALLS.items() for call in calls])
def test_a_macro_escapes_what_it_is_given(file: str, call: str) -> None:
    body = "{{ evil }}" if call.partition("(")[0] in {
        "card", "facts", "dialog", "results", "table", "bulk_bar", "qr_card"
    } else ""  # fmt: skip
    drawn = draw(
        file,
        call,
        body,
        evil=EVIL,
        wrong=WRONG,
        link={"url": EVIL, "label": EVIL, "page": 1, "active": False},
        csrf_token=EVIL,
        fields={EVIL: EVIL},
        errors={EVIL: [WRONG]},
    )
    assert not drawn.all("script")
    assert "<script" not in drawn.html
    assert not drawn.unclosed
    for element in drawn.elements:
        assert not [name for name in element.attributes if name.startswith("on") or name == "style" or '"' in name]


def test_a_wrong_field_keeps_what_was_typed_and_points_to_what_is_wrong() -> None:
    drawn = draw(
        "fields.html",
        'field("phone", "Phone", value="old", hint="With its country")',
        fields={"phone": "06 39"},
        errors={"phone": [Text("Not a phone number"), Text("Not yours")]},
    )
    control = drawn.one("input")
    assert control["value"] == "06 39"
    assert control["aria-invalid"] == "true"
    assert control["aria-describedby"] == "phone-error phone-hint"
    assert drawn.one("p", id="phone-error").text == "Not a phone number · Not yours"
    assert drawn.one("p", id="phone-hint").text == "With its country"
    assert drawn.one("label")["for"] == control["id"]


def test_a_field_without_troubles_says_nothing_of_them() -> None:
    control = draw("fields.html", 'field("phone", "Phone", value="old")').one("input")
    assert control["value"] == "old"
    assert control.get("aria-invalid") is None
    assert control.get("aria-describedby") is None


@pytest.mark.parametrize(
    ("file", "call", "tag"),
    [
        ("fields.html", 'select_field("x", "X", [("a", "A")])', "select"),
        ("fields.html", 'area_field("x", "X")', "textarea"),
        ("fields.html", 'password_field("x", "X")', "input"),
        ("choices.html", 'switch("x", "X")', "input"),
        ("choices.html", 'tick("x", "X")', "input"),
        ("choices.html", 'choice("x", "X", [("a", "A")])', "fieldset"),
        ("editor.html", 'editor("x", "X")', "textarea"),
    ],
)
def test_each_kind_of_field_points_to_what_is_wrong(file: str, call: str, tag: str) -> None:
    drawn = draw(file, call, errors={"x": [Text("Wrong")]})
    control = drawn.one(tag)
    assert control["aria-invalid"] == "true"
    assert drawn.one("p", id=control["aria-describedby"]).text == "Wrong"


def test_only_what_must_be_filled_in_is_required() -> None:
    assert draw("fields.html", 'field("x", "X")').one("input").get("required") is not None
    optional = draw("fields.html", 'field("x", "X", optional=true)')
    assert optional.one("input").get("required") is None
    assert optional.one("label").text == "X (optional)"


def test_a_password_is_never_sent_back() -> None:
    drawn = draw("fields.html", 'password_field("password", "Password")', fields={"password": "s3cret"})
    assert "s3cret" not in drawn.html


def test_a_select_keeps_what_was_chosen_whatever_it_contains() -> None:
    drawn = draw("fields.html", 'select_field("x", "X", [(1, "One"), ("a&b", "Two")], 1)', fields={"x": "a&b"})
    assert [option.text for option in drawn.all("option", selected="")] == ["Two"]


def test_a_text_area_keeps_the_line_break_that_it_begins_with() -> None:
    # A browser drops the first one.
    assert "\n\nhello</textarea>" in draw("fields.html", 'area_field("x", "X", value="\\nhello")').html


def test_what_was_unticked_stays_so_when_the_form_comes_back() -> None:
    assert draw("choices.html", 'switch("x", "X", true)').one("input").get("checked") is not None
    assert draw("choices.html", 'switch("x", "X", true)', fields={"y": "1"}).one("input").get("checked") is None
    assert draw("choices.html", 'switch("x", "X")', fields={"x": "1"}).one("input").get("checked") is not None


def test_of_several_choices_the_kept_one_is_marked() -> None:
    drawn = draw(
        "choices.html", 'choice("by", "By", [("email", "E"), ("phone", "P")], "email")', fields={"by": "phone"}
    )
    assert [radio["value"] for radio in drawn.all("input", checked="")] == ["phone"]
    assert drawn.ids().most_common(1)[0][1] == 1


def test_the_number_of_a_hue_is_what_is_sent() -> None:
    drawn = draw("fields.html", 'hue_field("theme_hue", "Hue", 200)')
    assert [control["value"] for control in drawn.all("input", name="theme_hue")] == ["200"]
    slider = drawn.one("input", type="range")
    assert slider["value"] == "200"
    assert slider.get("hidden") is not None
    assert slider.get("name") is None


def test_the_editor_numbers_its_lines_and_marks_the_wrong_one() -> None:
    drawn = draw("editor.html", 'editor("ini", "Entries", "a\\nb\\nc", bad=[2])')
    lines = drawn.all("li")
    assert [number for number, line in enumerate(lines, 1) if line.get("class") == "bad"] == [2]
    assert len(lines) > 3


def test_the_summary_links_to_the_fields_and_names_them() -> None:
    errors = {"phone": [Text("Not a phone number")], "email": [Text("Not an address")]}
    drawn = draw("feedback.html", "error_summary(errors, {'phone': 'Phone'})", errors=errors)
    assert drawn.one("div", role="alert")["tabindex"] == "-1"
    assert [(link["href"], link.text) for link in drawn.all("a")] == [
        ("#phone", "Phone: Not a phone number"),
        ("#email", "Not an address"),
    ]
    assert drawn.one("strong").text == "Nothing was saved: 2 things to correct."
    assert draw("feedback.html", "error_summary({})").html == ""


@pytest.mark.parametrize(
    ("kind", "role"), [("info", "status"), ("good", "status"), ("warn", "status"), ("bad", "alert")]
)
def test_only_bad_news_interrupt(kind: str, role: str) -> None:
    assert draw("feedback.html", f'flash_message("{kind}", "Hello")').all("div", role=role)


def test_a_head_says_how_its_column_is_sorted() -> None:
    drawn = draw("lists.html", 'head("Name", "?sort=name", "descending")')
    assert drawn.one("th")["aria-sort"] == "descending"
    assert drawn.one("use")["href"].endswith("#down")
    assert draw("lists.html", 'head("Name", "?sort=name")').one("th").get("aria-sort") is None


def test_filters_fold_and_are_open_while_one_is_set() -> None:
    body = "<select></select>"
    assert draw("lists.html", 'filters("/x")', body).one("details").get("open") is None
    assert draw("lists.html", 'filters("/x", active=2)', body).one("details").get("open") is not None
    assert not draw("lists.html", 'filters("/x")').all("details")


def test_links_between_pages_follow_the_envelope() -> None:
    links = [
        {"url": "?page=1", "label": "&laquo; Previous", "page": 1, "active": False},
        {"url": "?page=1", "label": "1", "page": 1, "active": False},
        {"url": "?page=2", "label": "2", "page": 2, "active": True},
        {"url": None, "label": "...", "page": None, "active": False},
        {"url": "?page=9", "label": "9", "page": 9, "active": False},
        {"url": None, "label": "Next &raquo;", "page": None, "active": False},
    ]
    drawn = draw("lists.html", "page_links(links)", links=links)
    assert [(link.text, link["href"]) for link in drawn.all("a")] == [
        ("Previous", "?page=1"),
        ("1", "?page=1"),
        ("2", "?page=2"),
        ("9", "?page=9"),
    ]
    assert drawn.one("a", aria_current="page").text == "2"
    assert not draw("lists.html", "page_links(links)", links=links[:2] + links[-1:]).all("nav")


def test_what_cannot_be_undone_is_asked_for_with_token_method_and_identifier() -> None:
    drawn = draw("confirm.html", 'confirm_form("/x", "Delete", "/back", identifier="alice@x.org")')
    assert drawn.one("input", name="csrf_token")["value"] == "the-token"
    assert drawn.one("input", name="_method")["value"] == "DELETE"
    assert drawn.one("input", name="identifier")["autocomplete"] == "off"
    assert "alice@x.org" in drawn.one("label").text
    assert drawn.one("a")["href"] == "/back"


def test_a_link_that_asks_leads_to_a_page_where_no_dialog_opens() -> None:
    link = draw("buttons.html", 'danger_link("Delete…", "/x/delete", dialog="ask")').one("a")
    assert link["href"] == "/x/delete"
    assert link["data-dialog"] == "ask"


def test_what_needs_the_script_waits_for_it() -> None:
    button = draw("buttons.html", 'copy_button("sip:alice@x.org")').one("button")
    assert button["data-copy"] == "sip:alice@x.org"
    assert button.get("hidden") is not None
