"""No link leads nowhere."""

from __future__ import annotations

import re
from collections import Counter
from urllib.parse import urldefrag, urljoin

import pytest
from browser.chromium import Chromium
from browser.doors import Doors
from browser.looks import WIDE
from playwright.sync_api import Page
from support.markup import Document, read

ENOUGH = 3
"""How many pages of a kind are looked at: of 30 accounts, three."""
FETCH = """async (address) => {
    const answer = await fetch(address, { headers: { Accept: "text/html" } });
    const is_page = answer.ok && answer.headers.get("Content-Type").startsWith("text/html");
    return [answer.status, answer.url, is_page ? await answer.text() : ""];
}"""
LINKS = (("a", "href"), ("link", "href"), ("img", "src"), ("script", "src"), ("use", "href"))


@pytest.mark.parametrize("visitor", ["stranger", "user", "admin", "super_admin"])
def test_every_link_leads_somewhere(chromium: Chromium, doors: Doors, visitor: str) -> None:
    assert chromium.walk(follow_every_link, on=[getattr(doors, visitor)(WIDE)]) > 5


def follow_every_link(page: Page) -> int:
    """Return how many addresses were asked for."""
    page.goto("/")
    site = re.sub(r"(?<=\d)/.*", "", page.url)
    waiting, seen, kinds = [(page.url, "the front door")], dict[str, Document | None](), Counter[str]()
    dead = []
    while waiting:
        link, origin = waiting.pop(0)
        address, place = urldefrag(link)
        if address not in seen:
            kinds[_kind(address)] += 1
            if not address.startswith(f"{site}/") or kinds[_kind(address)] > ENOUGH:
                continue
            status, reached, html = page.evaluate(FETCH, address)
            seen[address] = document = read(html) if html else None
            if status != 200:
                dead.append(f"{status} {address}, linked by {origin}")
            waiting += [(urljoin(reached, found), address) for found in _links(document)]
        if place and (found_page := seen[address]) and place not in found_page.ids():
            dead.append(f"no #{place} in {address}, linked by {origin}")
    assert not dead, "\n".join(dead)
    return len(seen)


def _links(document: Document | None) -> list[str]:
    if document is None:
        return []
    return [target for tag, name in LINKS for each in document.all(tag) if (target := each.get(name)) is not None]


def _kind(address: str) -> str:
    """Return an address without what differs between pages of a kind."""
    return re.sub(r"\d+|(?<=/qrcode/)\w+|(?<==)[^&]+|[\w-]+(\.[\w-]+)+", "…", address.split("//")[1].partition("/")[2])
