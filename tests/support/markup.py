"""Templates as the server renders them, and HTML as a browser reads it."""

from __future__ import annotations

from collections import Counter
from html.parser import HTMLParser
from types import SimpleNamespace
from typing import Any

from attrs import define, field
from jinja2 import Environment

from flexid.base.languages import Languages
from flexid.base.templates import Templates
from flexid.http.portal.assets import icons

VOID = frozenset({"area", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"})


def values(**changes: Any) -> dict[str, Any]:
    """Return what every page is given, with some of it changed."""
    return {
        "languages": [("en", "English"), ("fr", "Français")],
        "space": SimpleNamespace(name="Example Telecom", domain="sip.example.org"),
        "hue": 22,
        "logo_url": None,
        "viewer": viewer(),
        "csrf_token": "the-token",
        "theme": None,
        "flash": None,
        "here": "/dashboard",
        "query": "",
        "fields": {},
        "errors": {},
        "copyright": None,
        "year": 2026,
    } | changes


def viewer(*, admin: bool = False, super_admin: bool = False) -> SimpleNamespace:
    """Return somebody who is signed in."""
    return SimpleNamespace(username="alice", domain="sip.example.org", admin=admin, super_admin=super_admin)


def templates() -> Templates:
    """Return our templates, without a server."""
    return Templates(
        Languages(), globals={"asset": lambda name: f"/static/{name}", "drawn_icon": icons("/static/icons.svg")}
    )


def environment() -> Environment:
    """Return the environment in which templates are rendered in English."""
    return templates()._environment("en")


def page(name: str, language: str = "en", **changes: Any) -> Document:
    """Return a rendered page."""
    return read(templates().render(name, language, **values(**changes)))


def read(html: str) -> Document:
    """Return what a browser makes of HTML."""
    document = Document(html)
    reader = _Reader(document)
    reader.feed(html)
    reader.close()
    document.unclosed = [element.tag for element in reader.open]
    return document


@define
class Element:
    """A tag with its attributes, and all text inside."""

    tag: str
    attributes: dict[str, str]
    text: str = ""

    def __getitem__(self, name: str) -> str:
        return self.attributes[name]

    def get(self, name: str) -> str | None:
        """Return an attribute, None where there is none."""
        return self.attributes.get(name)

    def has(self, **wanted: str) -> bool:
        """Say whether these attributes have these values; `class_` and `aria_label` stand for `class`, `aria-label`."""
        return all(self.get(name.rstrip("_").replace("_", "-")) == value for name, value in wanted.items())


@define
class Document:
    """A page or a part of one."""

    html: str
    elements: list[Element] = field(factory=list)
    unclosed: list[str] = field(factory=list)

    def all(self, tag: str, **wanted: str) -> list[Element]:
        """Return the elements of a kind, in their order."""
        return [element for element in self.elements if element.tag == tag and element.has(**wanted)]

    def one(self, tag: str, **wanted: str) -> Element:
        """Return the only element of a kind."""
        (element,) = self.all(tag, **wanted)
        return element

    def ids(self) -> Counter[str]:
        """Return how often each id is given."""
        return Counter(element["id"] for element in self.elements if element.get("id"))

    def references(self) -> set[str]:
        """Return the ids that something points to."""
        return {
            reference
            for element in self.elements
            for name in (
                "for",
                "aria-labelledby",
                "aria-describedby",
                "aria-controls",
                "popovertarget",
                "form",
                "data-dialog",
            )
            for reference in (element.get(name) or "").split()
        }


class _Reader(HTMLParser):
    def __init__(self, document: Document) -> None:
        super().__init__()
        self.document = document
        self.open: list[Element] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.document.elements.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.document.elements.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        for element in self.open:
            element.text += data
