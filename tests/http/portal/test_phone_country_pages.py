from __future__ import annotations

from pytest_twisted import ensureDeferred
from support.application import SUPER, Application

PAGE = "/admin/phone_countries"


@ensureDeferred
async def test_a_country_is_allowed_and_refused_by_its_name(app: Application) -> None:
    visitor = await app.boss(SUPER)
    shown = await visitor.open(f"{PAGE}?q=franc")
    assert f'action="{PAGE}/FR/activate?q=franc"' in shown.text
    reply = await visitor.submit(f"{PAGE}/FR/activate?q=franc")
    assert reply.headers["Location"] == f"{PAGE}?q=franc"
    assert "Numbers of France may be used." in (await visitor.follow(reply)).text
    await app.has_account("alice", phone="+33612345678")
    reply = await visitor.submit(f"{PAGE}/FR/deactivate")
    assert "Numbers of France are refused" in (await visitor.follow(reply)).text
    refused = await app.admin.post(
        "/api/accounts", {"username": "bob", "password": "12345678", "phone": "+33612345679"}
    )
    assert refused.status == 422
    assert (await visitor.submit(f"{PAGE}/XX/activate")).status == 404


@ensureDeferred
async def test_all_countries_at_once(app: Application) -> None:
    visitor = await app.boss(SUPER)
    await visitor.open(PAGE)
    for action, count in (("activate", 1), ("deactivate", 0)):
        assert (await visitor.submit(f"{PAGE}/{action}")).status == 303
        (row,) = app.sql(
            "SELECT count(*) FILTER (WHERE activated) = %s * count(*) AS holds FROM phone_countries", count
        )
        assert row["holds"]


@ensureDeferred
async def test_countries_are_named_in_the_language_of_the_page_and_found_by_their_code(app: Application) -> None:
    visitor = await app.boss(SUPER)
    assert "Allemagne" in (await visitor.open(f"{PAGE}?q=49", Accept_Language="fr")).text
    assert "Germany" in (await visitor.open(f"{PAGE}?q=%2B49")).text
    assert "Germany" not in (await visitor.open(f"{PAGE}?q=33")).text
    assert "No country matches" in (await visitor.open(f"{PAGE}?q=%3Cscript%3E")).text


@ensureDeferred
async def test_accents_change_neither_the_order_nor_what_is_found(app: Application) -> None:
    visitor = await app.boss(SUPER)
    shown = (await visitor.open(PAGE, Accept_Language="fr")).text
    places = [shown.index(f">{name}<") for name in ("Danemark", "Égypte", "Espagne", "Finlande")]
    assert places == sorted(places)
    assert ">Égypte<" in (await visitor.open(f"{PAGE}?q=egy", Accept_Language="fr")).text
    assert ">Égypte<" in (await visitor.open(f"{PAGE}?q=%C3%89GY", Accept_Language="fr")).text
