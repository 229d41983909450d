"""Countries whose phone numbers may be used."""

from __future__ import annotations

from collections.abc import Sequence

from flexid.domain.phones import PhoneCountry
from flexid.store.query import Query, Runner

EVERY = Query("list phone countries", "SELECT code, country_code, activated FROM phone_countries ORDER BY code")
IS_ACTIVE = Query(
    "whether a calling code is active",
    "SELECT 1 AS found FROM phone_countries WHERE country_code = %(country_code)s AND activated LIMIT 1",
)
IS_ANY_ACTIVE = Query(
    "whether any phone country is active", "SELECT 1 AS found FROM phone_countries WHERE activated LIMIT 1"
)
SET_ACTIVATED = Query(
    "activate or deactivate a phone country",
    """
    UPDATE phone_countries SET activated = %(value)s, updated_at = now()
    WHERE country_code = (SELECT country_code FROM phone_countries WHERE code = %(code)s) RETURNING code
    """,
)
SET_ALL_ACTIVATED = Query(
    "activate or deactivate all phone countries",
    "UPDATE phone_countries SET activated = %(value)s, updated_at = now() WHERE activated <> %(value)s RETURNING code",
)
UPDATE = Query(
    "update phone countries",
    """
    INSERT INTO phone_countries AS c (code, country_code)
    SELECT * FROM unnest(%(codes)s::text[], %(country_codes)s::text[])
    ON CONFLICT (code) DO UPDATE SET country_code = excluded.country_code, updated_at = now()
        WHERE c.country_code <> excluded.country_code
    RETURNING code
    """,
)


async def every(runner: Runner) -> list[PhoneCountry]:
    """Return all countries, by code."""
    return [PhoneCountry(**row) for row in await runner.run(EVERY)]


async def is_active(runner: Runner, country_code: str) -> bool:
    """Say whether numbers with this calling code may be used."""
    return bool(await runner.run(IS_ACTIVE, country_code=country_code))


async def is_any_active(runner: Runner) -> bool:
    """Say whether there are numbers that may be used."""
    return bool(await runner.run(IS_ANY_ACTIVE))


async def set_activated(runner: Runner, code: str, *, value: bool) -> int:
    """Activate or deactivate every country that shares the calling code of this one; return how many."""
    return len(await runner.run(SET_ACTIVATED, code=code, value=value))


async def set_all_activated(runner: Runner, *, value: bool) -> int:
    """Activate or deactivate all countries; return how many that changed."""
    return len(await runner.run(SET_ALL_ACTIVATED, value=value))


async def update(runner: Runner, countries: Sequence[PhoneCountry]) -> int:
    """Add missing countries, inactive, and mend calling codes; return how many rows that touched."""
    return len(
        await runner.run(
            UPDATE,
            codes=[country.code for country in countries],
            country_codes=[country.country_code for country in countries],
        )
    )
