"""The countries whose phone numbers may be used."""

from __future__ import annotations

import unicodedata
from typing import Any
from urllib.parse import urlencode

from flexid.base.countries import country_name
from flexid.base.text import Text
from flexid.http.answers import Answer
from flexid.http.call import Call
from flexid.http.pages import go, page
from flexid.http.routes import SUPER_ADMIN, Routes

routes = Routes("/admin/phone_countries", title="Phone countries", portal=True)

HOME = "/admin/phone_countries"


@routes.get(caller=SUPER_ADMIN)
async def show(call: Call[Any]) -> Answer:
    """List the countries by name, as far as they match what is searched for."""
    wanted = (call.query("q") or "").strip()[:100]
    named = [(country_name(each.code, call.language), each) for each in await call.services.phone_countries.every()]
    found = [
        (name, each)
        for name, each in sorted(named, key=lambda pair: _plain(pair[0]))
        if not wanted
        or _plain(wanted) in _plain(name)
        or wanted.lstrip("+") == each.country_code
        or wanted.upper() == each.code
    ]
    active = sum(each.activated for _, each in named)
    return page(
        call, "admin_phone_countries/page.html", countries=found, wanted=wanted, active=active, every=len(named)
    )


@routes.post("/activate", caller=SUPER_ADMIN)
async def activate_all(call: Call[Any]) -> Answer:
    """Let numbers of every country be used."""
    await call.services.phone_countries.set_all_activated(value=True)
    return await go(call, HOME, Text("Numbers of all countries may be used."))


@routes.post("/deactivate", caller=SUPER_ADMIN)
async def deactivate_all(call: Call[Any]) -> Answer:
    """Refuse numbers of every country."""
    await call.services.phone_countries.set_all_activated(value=False)
    return await go(call, HOME, Text("Numbers of no country may be used."))


@routes.post("/{code}/activate", caller=SUPER_ADMIN)
async def activate(call: Call[Any], code: str) -> Answer:
    """Let numbers of a country be used."""
    await call.services.phone_countries.set_activated(code, value=True)
    return await go(
        call, _list(call), Text("Numbers of {country} may be used.", country=country_name(code, call.language))
    )


@routes.post("/{code}/deactivate", caller=SUPER_ADMIN)
async def deactivate(call: Call[Any], code: str) -> Answer:
    """Refuse numbers of a country."""
    await call.services.phone_countries.set_activated(code, value=False)
    return await go(
        call,
        _list(call),
        Text("Numbers of {country} are refused from now on.", country=country_name(code, call.language)),
    )


def _plain(name: str) -> str:
    """Return a name without accents: "Égypte" stands among the others in E, and is found by "egypte"."""
    letters = (character for character in unicodedata.normalize("NFKD", name) if not unicodedata.combining(character))
    return "".join(letters).casefold()


def _list(call: Call[Any]) -> str:
    """Return the list as it was searched."""
    wanted = call.query("q")
    return f"{HOME}?{urlencode({'q': wanted})}" if wanted else HOME
