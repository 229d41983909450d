"""Countries whose phone numbers may be used."""

from __future__ import annotations

from typing import Any, TypedDict

from flexid.http.call import Call
from flexid.http.routes import PUBLIC, SUPER_ADMIN, Routes

routes = Routes("/api/phone_countries", title="Phone countries")


class PhoneCountryAnswer(TypedDict):
    """A country: its ISO 3166 code, its calling code, and whether its numbers may be used."""

    code: str
    country_code: str
    activated: bool


@routes.get(caller=PUBLIC)
async def every(call: Call[Any]) -> list[PhoneCountryAnswer]:
    """List all countries."""
    return [
        PhoneCountryAnswer(code=country.code, country_code=country.country_code, activated=country.activated)
        for country in await call.services.phone_countries.every()
    ]


@routes.post("/{code}/activate", caller=SUPER_ADMIN)
async def activate(call: Call[Any], code: str) -> int:
    """Let numbers of a country be used, and of all that share its calling code; the answer is how many those are."""
    return await call.services.phone_countries.set_activated(code, value=True)


@routes.post("/{code}/deactivate", caller=SUPER_ADMIN)
async def deactivate(call: Call[Any], code: str) -> int:
    """Refuse numbers of a country, and of all that share its calling code; the answer is how many those are."""
    return await call.services.phone_countries.set_activated(code, value=False)
