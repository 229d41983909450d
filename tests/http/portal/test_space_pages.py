from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pytest_twisted import ensureDeferred
from support.application import SUPER, TENANT, Application, at_once
from support.portal import Visitor
from support.web import Reply

from flexid.domain.account import Actor
from flexid.domain.errors import Forbidden, NotFound

SPACES = "/admin/spaces"
PAGE = f"{SPACES}/{TENANT}"
OTHER = "other.example.org"
SCRIPT = '"><script>alert(1)</script>'
NEW = {"name": "Acme", "domain": "acme.example.org", "host": "acme.localhost"}


async def _other_space(app: Application, **fields: object) -> None:
    space = {"name": "Other", "domain": OTHER, "host": "other.localhost", **fields}
    assert (await app.super_admin.post("/api/spaces", space)).status == 201


def _row(app: Application, domain: str = TENANT) -> dict[str, object]:
    (row,) = app.sql("SELECT * FROM spaces WHERE domain = %s", domain)
    return row


async def _administer(visitor: Visitor, domain: str = TENANT, **changed: str) -> Reply:
    """Send the form of the page as it is shown, but for what is changed; an empty text is not sent."""
    await visitor.open(f"{SPACES}/{domain}/administration")
    host = {TENANT: "tenant.localhost", SUPER: "localhost", OTHER: "other.localhost"}[domain]
    shown = {"name": f"Space of {domain}", "host": host, "max_accounts": "0", "web_panel": "1", "unique_email": "1"}
    if domain == SUPER:
        shown["super"] = "1"
    fields = {name: value for name, value in {**shown, **changed}.items() if value}
    return await visitor.submit(f"{SPACES}/{domain}/administration", fields)


@ensureDeferred
async def test_all_spaces_are_listed_with_how_they_stand(app: Application) -> None:
    tomorrow = datetime.now(UTC) + timedelta(hours=30)
    await _other_space(app, max_accounts=1)
    await app.change("UPDATE spaces SET expire_at = %s WHERE domain = %s", tomorrow, OTHER)
    await app.change("UPDATE spaces SET expire_at = now() - interval '1 day' WHERE domain = %s", TENANT)
    visitor = await app.boss("localhost")
    listed = (await visitor.open(SPACES)).text
    assert listed.count('class="card"') == 3
    assert "3 Spaces" in listed
    assert "Expired" in listed
    assert "2 days left" in listed
    assert "0 of at most 1" in listed
    assert "2 accounts" in listed
    for domain in (SUPER, TENANT, OTHER):
        assert f'href="{SPACES}/{domain}"' in listed
    assert f'{SPACES}/1"' not in listed
    assert "One Space so far" not in listed


@ensureDeferred
async def test_the_first_space_alone_says_what_others_are_for(app: Application) -> None:
    await app.change("DELETE FROM spaces WHERE domain = %s", TENANT)
    visitor = await app.boss("localhost")
    assert "One Space so far" in (await visitor.open(SPACES)).text


@ensureDeferred
async def test_an_administrator_is_led_to_its_own_space_wherever_it_is(app: Application) -> None:
    chief = await app.chief()
    assert (await chief.open(f"{SPACES}/me")).headers["Location"] == PAGE
    boss = await app.boss("tenant.localhost")
    assert (await boss.open(f"{SPACES}/me")).headers["Location"] == f"{SPACES}/{SUPER}"


@ensureDeferred
async def test_a_space_is_made_and_leads_to_its_first_administrator(app: Application) -> None:
    visitor = await app.boss("localhost")
    await visitor.open(f"{SPACES}/create")
    fields = {**NEW, "domain": " Acme.Example.org ", "max_accounts": "5", "expire_at": "2099-01-31"}
    reply = await visitor.submit(f"{SPACES}/create", {**fields, "public_registration": "1"})
    shown = await visitor.follow(reply)
    assert reply.headers["Location"] == f"{SPACES}/acme.example.org"
    assert "The Space Acme is created." in shown.text
    assert 'href="/admin/accounts/create?domain=acme.example.org"' in shown.text
    assert "No administrator yet" in shown.text
    row = _row(app, "acme.example.org")
    assert (row["max_accounts"], row["public_registration"], row["phone_registration"]) == (5, True, False)
    assert (row["super"], row["web_panel"], row["expire_at"]) == (False, True, datetime(2099, 1, 31, tzinfo=UTC))
    assert (await app.browser.at("acme.localhost").get("/login")).status == 200


@ensureDeferred
async def test_all_that_is_wrong_with_a_new_space_is_said_at_once_and_a_host_is_suggested(app: Application) -> None:
    visitor = await app.boss("localhost")
    await visitor.open(f"{SPACES}/create")
    wrong = {"name": f"Space of {TENANT}", "domain": "sip.acme.org", "host": "acme.org", "max_accounts": "-1"}
    reply = await visitor.submit(f"{SPACES}/create", {**wrong, "expire_at": "31/02/2099"})
    assert reply.status == 422
    assert reply.text.count('aria-invalid="true"') == 4
    assert 'value="acme.org"' in reply.text
    assert "for example acme.localhost" in reply.text
    below = await visitor.submit(f"{SPACES}/create", {**NEW, "domain": "deep.acme.localhost", "host": ""})
    assert "for example deep.acme.localhost" in below.text
    assert len(app.sql("SELECT 1 FROM spaces")) == 2


@ensureDeferred
async def test_a_space_shows_its_accounts_and_administrators_to_its_own_and_to_super_administrators(
    app: Application,
) -> None:
    await app.has_account("alice")
    await app.has_account("keeper", admin=True, display_name="Kim")
    for visitor in (await app.chief(), await app.boss("localhost")):
        shown = (await visitor.open(PAGE)).text
        assert "4 accounts" in shown
        for name in ("keeper", "Kim", "chief", "tenant.localhost", "SHA-256"):
            assert name in shown
        assert ">alice<" not in shown
    assert "/administration" in shown
    assert "/administration" not in (await (await app.signed_in("keeper")).open(PAGE)).text


@ensureDeferred
async def test_pages_of_another_space_are_not_there_for_an_administrator(app: Application) -> None:
    await _other_space(app)
    visitor = await app.chief()
    before = _row(app, OTHER)
    for part in ("", "/configuration", "/app", "/logo"):
        assert (await visitor.open(f"{SPACES}/{OTHER}{part}")).status == 404
        assert (await visitor.open(f"{SPACES}/nowhere.example.org{part}")).status == 404
    await visitor.open(PAGE)
    for part in ("configuration", "app"):
        for hue in ("200", "wrong"):
            fields = {"theme_hue": hue, "max_account": hue, "custom_provisioning_entries": "[x"}
            assert (await visitor.submit(f"{SPACES}/{OTHER}/{part}", fields)).status == 404
    for part in ("administration", "delete"):
        assert (await visitor.submit(f"{SPACES}/{OTHER}/{part}", {"identifier": OTHER})).status in {403, 405}
    assert _row(app, OTHER) == before


@ensureDeferred
async def test_a_space_administrator_changes_nothing_that_is_not_in_its_form(app: Application) -> None:
    visitor = await app.chief()
    before = _row(app)
    made_up = {
        "super": "1", "max_accounts": "9", "host": "x.localhost", "domain": OTHER, "name": "Mine", "web_panel": "0",
        "expire_at": "2099-01-01", "unique_email": "0", "id": "1", "logo": "x.svg", "intercom_features": "1",
    }  # fmt: skip
    await visitor.open(f"{PAGE}/configuration")
    refused = await visitor.submit(f"{PAGE}/configuration", {**made_up, "theme_hue": "100"})
    assert refused.status == 422
    del made_up["logo"]
    assert (await visitor.submit(f"{PAGE}/configuration", {**made_up, "theme_hue": "100"})).status == 303
    assert (await visitor.submit(f"{PAGE}/app", {**made_up, "max_account": "2"})).status == 303
    after = _row(app)
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {
        "theme_hue", "max_account", "updated_at", "public_registration", "phone_registration",
        "disable_broadcast_feature",
    }  # fmt: skip
    assert (await visitor.submit(f"{PAGE}/administration", {**made_up})).status == 403
    assert _row(app) == after


@ensureDeferred
async def test_who_asks_decides_whatever_a_page_lets_through(app: Application) -> None:
    await _other_space(app)
    chief = Actor(1, "chief", TENANT, admin=True, blocked=False, super_space=False)
    user = Actor(2, "user", SUPER, admin=False, blocked=False, super_space=True)
    pages = app.services.space_pages
    before = _row(app), _row(app, OTHER), _row(app, SUPER)
    for column in ("super", "host", "name", "domain", "max_accounts", "expire_at", "web_panel", "unique_email", "logo"):
        with pytest.raises(Forbidden):
            await pages.configure(chief, TENANT, {"theme_hue": 1, column: None})
    for actor, domain in ((chief, OTHER), (chief, SUPER), (user, SUPER), (user, TENANT)):
        with pytest.raises(NotFound):
            await pages.configure(actor, domain, {"theme_hue": 1})
        with pytest.raises(NotFound):
            await pages.figures(actor, domain)
    for actor in (chief, user):
        with pytest.raises(NotFound):
            await pages.administer(actor, SUPER, TENANT, {"max_accounts": 1})
        with pytest.raises(NotFound):
            await pages.delete(actor, SUPER, TENANT)
    assert (_row(app), _row(app, OTHER), _row(app, SUPER)) == before


@ensureDeferred
async def test_two_forms_of_a_space_sent_at_once_lose_nothing_of_each_other(app: Application) -> None:
    boss, chief = await app.boss("localhost"), await app.chief()
    await chief.open(f"{PAGE}/configuration")
    await boss.open(f"{PAGE}/administration")
    replies = await at_once(
        chief.submit(f"{PAGE}/configuration", {"theme_hue": "111", "copyright_text": "by chief"}),
        boss.submit(f"{PAGE}/administration", {"name": "By boss", "host": "tenant.localhost", "max_accounts": "77"}),
        chief.submit(f"{PAGE}/app", {"hide_settings": "1", "max_account": "3"}),
    )
    assert [reply.status for reply in replies] == [303] * 3
    row = _row(app)
    assert (row["theme_hue"], row["copyright_text"], row["name"], row["max_accounts"]) == (
        111,
        "by chief",
        "By boss",
        77,
    )
    assert (row["hide_settings"], row["max_account"]) == (True, 3)


@ensureDeferred
async def test_a_super_administrator_changes_names_limits_and_rights(app: Application) -> None:
    visitor = await app.boss("localhost")
    reply = await _administer(
        visitor, name="Renamed", host="moved.localhost", max_accounts="9", expire_at="2099-01-31",
        account_proxy_registrar_address="proxy.example.org", client_certificate_authentication="1",
    )  # fmt: skip
    assert "Saved" in (await visitor.follow(reply)).text
    row = _row(app)
    assert (row["name"], row["host"], row["max_accounts"]) == ("Renamed", "moved.localhost", 9)
    assert (row["account_proxy_registrar_address"], row["client_certificate_authentication"]) == (
        "proxy.example.org",
        True,
    )
    assert (await app.nobody.get("/api/ping")).status == 404
    assert (await app.browser.at("moved.localhost").get("/api/ping")).status == 200


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"max_accounts": "1"}, "max_accounts"),
        ({"max_accounts": "-1"}, "max_accounts"),
        ({"max_accounts": "9" * 30}, "max_accounts"),
        ({"expire_at": "2001-01-01"}, "expire_at"),
        ({"expire_at": "soon"}, "expire_at"),
        ({"expire_at": "+100000-01-01"}, "expire_at"),
        ({"expire_at": "0000-00-00"}, "expire_at"),
        ({"host": "elsewhere.example.org"}, "host"),
        ({"host": "localhost"}, "host"),
        ({"name": f"Space of {SUPER}"}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"unique_email": "1"}, "unique_email"),
    ],
    ids=repr,
)
@ensureDeferred
async def test_what_cannot_be_is_refused_at_its_field(app: Application, changed: dict[str, str], field: str) -> None:
    await app.change("UPDATE spaces SET unique_email = false WHERE domain = %s", TENANT)
    await app.has_account("alice", email="same@example.org")
    await app.has_account("alicia", email="same@example.org")
    visitor = await app.boss("localhost")
    before = _row(app)
    reply = await _administer(visitor, **{"unique_email": "", **changed})
    assert reply.status == 422
    assert reply.text.count('aria-invalid="true"') == 1
    assert f'id="{field}-error"' in reply.text
    assert _row(app) == before


@ensureDeferred
async def test_an_expired_space_is_changed_without_being_opened_again(app: Application) -> None:
    noon = datetime(2020, 1, 31, 12, tzinfo=UTC)
    await app.change("UPDATE spaces SET expire_at = %s WHERE domain = %s", noon, TENANT)
    visitor = await app.boss("localhost")
    assert 'value="2020-01-31"' in (await visitor.open(f"{PAGE}/administration")).text
    assert (await _administer(visitor, expire_at="2020-01-31", max_accounts="5")).status == 303
    assert (_row(app)["expire_at"], _row(app)["max_accounts"]) == (noon, 5)
    assert (await _administer(visitor, expire_at="2020-01-30")).status == 422
    assert (await _administer(visitor)).status == 303
    assert _row(app)["expire_at"] is None


@ensureDeferred
async def test_nobody_locks_himself_out_by_accident(app: Application) -> None:
    visitor = await app.boss("localhost")
    before = _row(app, SUPER)
    today = datetime.now(UTC).date().isoformat()
    for field, changed in (("super", ""), ("web_panel", ""), ("expire_at", today)):
        reply = await _administer(visitor, SUPER, **{field: changed})
        assert reply.status == 422
        assert f'id="{field}-error"' in reply.text
    assert _row(app, SUPER) == before
    assert (await _administer(visitor, TENANT, web_panel="", expire_at=today)).status == 303


@ensureDeferred
async def test_a_space_that_moves_to_another_host_says_where_it_is(app: Application) -> None:
    visitor = await app.boss("localhost")
    reply = await _administer(visitor, SUPER, host="new.localhost")
    assert reply.status == 200
    assert 'href="http://new.localhost/login"' in reply.text
    assert (await app.browser.at("new.localhost").get("/login")).status == 200


@ensureDeferred
async def test_a_space_is_deleted_by_typing_its_domain(app: Application) -> None:
    await app.has_account("alice")
    visitor = await app.boss("localhost")
    asked = await visitor.open(f"{PAGE}/delete")
    assert "2 accounts are deleted with it" in asked.text
    for typed in ("", "alice", OTHER, SUPER):
        reply = await visitor.submit(f"{PAGE}/delete", {"_method": "DELETE", "identifier": typed})
        assert reply.status == 422
    assert (await visitor.submit(f"{PAGE}/delete", {"identifier": TENANT})).status == 405
    assert _row(app)
    reply = await visitor.submit(f"{PAGE}/delete", {"_method": "DELETE", "identifier": f" {TENANT.upper()} "})
    assert "and its accounts with it" in (await visitor.follow(reply)).text
    assert not app.sql("SELECT 1 FROM accounts WHERE domain = %s", TENANT)
    assert (await visitor.open(PAGE)).status == 404
    assert (await app.nobody.get("/api/ping")).status == 404


@ensureDeferred
async def test_the_space_that_somebody_stands_on_is_not_deleted(app: Application) -> None:
    visitor = await app.boss("tenant.localhost")
    for domain, why in ((SUPER, "Your own account is in this Space"), (TENANT, "using the portal of this Space")):
        shown = await visitor.open(f"{SPACES}/{domain}/delete")
        assert why in shown.text
        assert 'name="identifier"' not in shown.text
        sent = {"_method": "DELETE", "identifier": domain}
        assert (await visitor.submit(f"{SPACES}/{domain}/delete", sent)).status == 422
        assert _row(app, domain)


@ensureDeferred
async def test_two_super_administrators_do_not_take_the_last_super_space_from_each_other(app: Application) -> None:
    await _other_space(app, super=True)
    fields = {"username": "rival", "password": "rival_password", "admin": True, "domain": OTHER}
    assert (await app.super_admin.post("/api/accounts", fields)).status == 200
    boss, rival = await app.boss("localhost"), await app.signed_in("rival", host="other.localhost")
    for visitor, domain in ((boss, OTHER), (rival, SUPER)):
        await visitor.open(f"{SPACES}/{domain}/delete")
    await at_once(
        boss.submit(f"{SPACES}/{OTHER}/delete", {"_method": "DELETE", "identifier": OTHER}),
        rival.submit(f"{SPACES}/{SUPER}/administration", {"name": "x", "host": "localhost", "web_panel": "1"}),
    )
    assert len(app.sql("SELECT 1 FROM spaces WHERE super")) == 1


@ensureDeferred
async def test_what_is_typed_about_a_space_is_no_markup(app: Application) -> None:
    await app.has_account("keeper", admin=True, display_name=SCRIPT)
    texts = ("name", "copyright_text", "newsletter_registration_address", "intro_registration_text",
             "custom_provisioning_entries", "account_proxy_registrar_address")  # fmt: skip
    changes = ", ".join(f"{column} = %(text)s" for column in texts)
    await app.change(f"UPDATE spaces SET {changes} WHERE domain = %(domain)s", {"text": SCRIPT, "domain": TENANT})
    visitor = await app.boss("tenant.localhost")
    for path in (SPACES, PAGE, *(f"{PAGE}/{part}" for part in ("configuration", "app", "administration", "delete"))):
        shown = (await visitor.open(path)).text
        assert "&lt;script&gt;alert(1)" in shown
        assert "<script>alert" not in shown
    for path in (f"{SPACES}/create", f"{PAGE}/administration"):
        wrong = await visitor.submit(
            path, dict.fromkeys((*texts, "host", "domain", "expire_at", "max_accounts"), SCRIPT)
        )
        assert wrong.status == 422
        assert "<script>alert" not in wrong.text
