from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from support.application import SUPER, TENANT, TENANT_HOST, Application
from support.portal import Visitor
from support.web import Reply

from flexid.http.routes import ADMIN
from flexid.http.site import every_route

HOSTILE = '"><script>alert(1)</script>'
NEW = {"username": "lea", "password": "lea_password", "activated": "1", "admin": "0"}


async def _account(app: Application, account_id: int) -> dict[str, Any]:
    account: dict[str, Any] = (await app.super_admin.get(f"/api/accounts/{account_id}")).json
    return account


def _seen(form: Reply) -> str:
    found = re.search(r'name="seen" value="([^"]*)"', form.text)
    assert found
    return unescape(found[1])


async def _edit(visitor: Visitor, account_id: int, **fields: str) -> Reply:
    form = await visitor.open(f"/admin/accounts/{account_id}/edit")
    sent = {"_method": "PUT", "seen": _seen(form), **fields}
    return await visitor.submit(f"/admin/accounts/{account_id}", sent)


@ensureDeferred
async def test_an_account_is_made_shown_with_its_code_changed_and_deleted(app: Application) -> None:
    chief = await app.chief()
    await chief.open("/admin/accounts/create")
    created = await chief.submit("/admin/accounts/create", {**NEW, "username": "lea.fontaine", "display_name": "Léa"})
    path = created.headers["Location"]
    shown = await chief.follow(created)
    assert "Account lea.fontaine created." in shown.text
    assert f'src="{path}/qrcode"' in shown.text
    (account,) = app.sql("SELECT * FROM accounts WHERE username = 'lea.fontaine'")
    assert (account["activated"], account["admin"], account["domain"]) == (True, False, TENANT)
    token = (await _account(app, account["id"]))["provisioning_token"]
    assert f"http://{TENANT_HOST}/provisioning/{token}" in shown.text
    picture = await chief.open(f"{path}/qrcode")
    assert (picture.status, picture.headers["Content-Type"]) == (200, "image/svg+xml")
    assert (await app.visitor().sign_in("lea.fontaine", "lea_password")).status == 303

    edited = await _edit(chief, account["id"], username="lea", password="another_password", email="lea@example.org")
    assert "Account lea saved." in (await chief.follow(edited)).text
    assert (await app.visitor().sign_in("lea", "another_password")).status == 303

    await chief.submit(f"{path}/dictionary", {"key": "department", "value": "Front desk"})
    assert "Front desk" in (await chief.open(path)).text

    asked = await chief.open(f"{path}/delete")
    assert f"Type “lea@{TENANT}” to confirm" in asked.text
    wrong = await chief.submit(path, {"_method": "DELETE", "identifier": "lea"})
    assert (wrong.status, f"This is not lea@{TENANT}" in wrong.text) == (422, True)
    deleted = await chief.submit(path, {"_method": "DELETE", "identifier": f"lea@{TENANT}"})
    assert (deleted.status, deleted.headers["Location"]) == (303, "/admin/accounts")
    assert (await chief.open(path)).status == 404
    await chief.open("/admin/accounts/create")
    again = await chief.submit("/admin/accounts/create", NEW)
    assert "The username has already been taken." in again.text


@ensureDeferred
async def test_all_wrong_fields_are_named_at_once_and_what_was_typed_is_kept_but_for_the_password(
    app: Application,
) -> None:
    chief = await app.chief()
    await app.has_account("taken", email="taken@example.org")
    await chief.open("/admin/accounts/create")
    typed = {
        "username": "taken",
        "password": "secret7",
        "email": "taken@example.org",
        "phone": "+33 12",
        "display_name": "Léa Fontaine",
        "dtmf_protocol": "sipinfo",
        "activated": "0",
        "admin": "1",
    }
    reply = await chief.submit("/admin/accounts/create", typed)
    assert reply.status == 422
    for sentence in (
        "The username has already been taken.",
        "The email has already been taken.",
        "The phone must be a valid phone number in E.164 format",
        "The password must have at least 8 characters",
        'value="+33 12"',
        'value="Léa Fontaine"',
        'value="sipinfo" selected',
        '<option value="0" selected>Inactive',
        '<option value="1" selected>Administrator',
    ):
        assert sentence in reply.text, sentence
    assert "secret7" not in reply.text
    empty = await chief.submit("/admin/accounts/create", {"email": "nonsense"})
    assert empty.status == 422
    for sentence in ("The username field is required.", "The password field is required.", "valid email address"):
        assert sentence in empty.text, sentence
    assert app.sql("SELECT count(*) FROM accounts WHERE username NOT IN ('admin', 'chief', 'taken')")[0]["count"] == 0


@ensureDeferred
async def test_a_phone_number_may_be_typed_as_people_write_it(app: Application) -> None:
    app.sql("UPDATE phone_countries SET activated = true WHERE code = 'FR'")
    chief = await app.chief()
    await chief.open("/admin/accounts/create")
    reply = await chief.submit("/admin/accounts/create", {**NEW, "username": " lea ", "phone": "+33 (6) 12.34-56 78"})
    assert reply.status == 303
    assert app.sql("SELECT phone FROM accounts WHERE username = 'lea'") == [{"phone": "+33612345678"}]


@ensureDeferred
async def test_an_administrator_creates_in_its_own_space_whatever_the_form_says(app: Application) -> None:
    chief = await app.chief()
    form = await chief.open(f"/admin/accounts/create?domain={SUPER}")
    assert f"@{TENANT}" in form.text
    assert f"@{SUPER}" not in form.text
    await chief.submit("/admin/accounts/create", {**NEW, "domain": SUPER})
    assert app.sql("SELECT domain FROM accounts WHERE username = 'lea'") == [{"domain": TENANT}]


@ensureDeferred
async def test_a_super_administrator_creates_in_any_space(app: Application) -> None:
    boss = await app.boss()
    form = await boss.open(f"/admin/accounts/create?domain={SUPER}")
    assert f'<option value="{SUPER}" selected>' in form.text
    made = await boss.submit("/admin/accounts/create", {**NEW, "domain": SUPER})
    assert app.sql("SELECT domain FROM accounts WHERE username = 'lea'") == [{"domain": SUPER}]
    shown = await boss.follow(made)
    assert "http://localhost/provisioning/" in shown.text
    default = await boss.open("/admin/accounts/create")
    assert f'<option value="{TENANT}" selected>' in default.text


@ensureDeferred
async def test_a_full_space_says_so_before_and_after_somebody_typed(app: Application) -> None:
    chief = await app.chief()
    await chief.open("/admin/accounts/create")
    await app.change("UPDATE spaces SET max_accounts = 2 WHERE domain = %s", TENANT)
    late = await chief.submit("/admin/accounts/create", NEW)
    assert (late.status, "There is no room for another account" in late.text) == (422, True)
    early = await chief.open("/admin/accounts/create")
    assert f"{TENANT} is full" in early.text
    assert 'name="username"' not in early.text
    await app.change("UPDATE spaces SET max_accounts = 3 WHERE domain = %s", TENANT)
    assert (await chief.submit("/admin/accounts/create", NEW)).status == 303


@ensureDeferred
async def test_what_a_colleague_changed_meanwhile_stays(app: Application) -> None:
    chief = await app.chief()
    alice = await app.has_account("alice", email="old@example.org", display_name="Old")
    form = await chief.open(f"/admin/accounts/{alice['id']}/edit")
    await app.admin.put(
        f"/api/accounts/{alice['id']}",
        {"username": "alice", "email": "new@example.org", "display_name": "Old", "dtmf_protocol": "sipinfo"},
    )
    fields = {"username": "alice", "email": "old@example.org", "display_name": "Mine", "activated": "1", "admin": "0"}
    wrong = await chief.submit(
        f"/admin/accounts/{alice['id']}", {"_method": "PUT", "seen": _seen(form), **fields, "password": "short"}
    )
    assert wrong.status == 422
    sent = {"_method": "PUT", "seen": _seen(wrong), **fields}
    assert (await chief.submit(f"/admin/accounts/{alice['id']}", sent)).status == 303
    after = await _account(app, alice["id"])
    assert (after["email"], after["display_name"], after["dtmf_protocol"]) == ("new@example.org", "Mine", "sipinfo")


@ensureDeferred
async def test_what_is_emptied_is_forgotten_and_stays_empty_while_another_field_is_wrong(app: Application) -> None:
    chief = await app.chief()
    alice = await app.has_account("alice", email="alice@example.org", display_name="Alice", dtmf_protocol="sipinfo")
    wrong = await _edit(chief, alice["id"], username="alice", display_name="Alice", email="", password="short")
    assert wrong.status == 422
    assert "alice@example.org" not in wrong.text.replace(_seen(wrong).replace('"', "&#34;"), "")
    assert (await _edit(chief, alice["id"], username="alice", email="", display_name=" ")).status == 303
    after = await _account(app, alice["id"])
    assert (after["email"], after["display_name"], after["dtmf_protocol"]) == (None, None, None)
    assert (after["activated"], after["admin"]) == (True, False)


@pytest.mark.parametrize("seen", ["", "nonsense", "[1]", "null", '{"username": {"a": 1}}'])
@ensureDeferred
async def test_a_form_that_does_not_say_what_was_seen_counts_as_a_whole(app: Application, seen: str) -> None:
    chief = await app.chief()
    alice = await app.has_account("alice", email="alice@example.org")
    assert (await _edit(chief, alice["id"], username="alice", display_name="A", seen=seen)).status == 303
    after = await _account(app, alice["id"])
    assert (after["email"], after["display_name"], after["activated"]) == (None, "A", True)


@ensureDeferred
async def test_a_new_name_needs_a_password(app: Application) -> None:
    chief = await app.chief()
    alice = await app.has_account("alice")
    reply = await _edit(chief, alice["id"], username="alicia")
    assert (reply.status, "A new username needs a password" in reply.text) == (422, True)
    assert 'value="alicia"' in reply.text
    assert (await _account(app, alice["id"]))["username"] == "alice"


@ensureDeferred
async def test_another_password_or_role_signs_the_account_out(app: Application) -> None:
    chief = await app.chief()
    for name, fields in (("alice", {"password": "another_password"}), ("bob", {"admin": "1"})):
        account = await app.has_account(name)
        visitor = await app.signed_in(name)
        assert (await _edit(chief, account["id"], username=name, activated="1", **fields)).status == 303
        assert (await visitor.open("/dashboard")).status == 303
        assert (await chief.open("/dashboard")).status == 200


@pytest.mark.parametrize("fields", [{"password": "another_password"}, {"username": "head", "password": "new_password"}])
@ensureDeferred
async def test_an_administrator_who_changes_its_own_password_here_goes_on(
    app: Application, fields: dict[str, str]
) -> None:
    chief = await app.chief()
    other = await app.signed_in("chief")
    (row,) = app.sql("SELECT id FROM accounts WHERE username = 'chief'")
    before = chief.cookies["session"]
    reply = await _edit(chief, row["id"], **{"username": "chief", **fields})
    assert chief.cookies["session"] != before
    assert "saved." in (await chief.follow(reply)).text
    assert (await other.open("/dashboard")).status == 303


@ensureDeferred
async def test_an_administrator_cannot_lock_itself_out(app: Application) -> None:
    chief = await app.chief()
    (row,) = app.sql("SELECT * FROM accounts WHERE username = 'chief'")
    path = f"/admin/accounts/{row['id']}"
    page = await chief.open(path)
    assert f"{path}/block" not in page.text
    assert (await chief.open(f"{path}/delete")).headers["Location"] == "/delete"
    for action in ("block", "deactivate"):
        assert (await chief.submit(f"{path}/{action}")).status == 403
    assert (await chief.submit(path, {"_method": "DELETE", "identifier": f"chief@{TENANT}"})).status == 403
    for field in ("admin", "activated"):
        reply = await _edit(chief, row["id"], username="chief", **{field: "0"})
        assert (reply.status, "Another administrator can do that." in reply.text) == (422, True)
    assert (await _edit(chief, row["id"], username="chief", display_name="The chief")).status == 303
    (after,) = app.sql("SELECT * FROM accounts WHERE username = 'chief'")
    different = {"display_name": None, "words": None, "updated_at": None}
    assert after | different == row | different


@ensureDeferred
async def test_an_account_is_deactivated_activated_blocked_and_unblocked(app: Application) -> None:
    chief = await app.chief()
    alice = await app.has_account("alice")
    visitor = await app.signed_in("alice")
    path = f"/admin/accounts/{alice['id']}"
    for action, said, field, value in (
        ("deactivate", "is inactive.", "activated", False),
        ("activate", "is active.", "activated", True),
        ("block", "is blocked.", "blocked", True),
        ("unblock", "is no longer blocked.", "blocked", False),
    ):
        await chief.open(path)
        reply = await chief.submit(f"{path}/{action}")
        assert f"Account alice {said}" in (await chief.follow(reply)).text
        assert (await _account(app, alice["id"]))[field] is value
        assert (await visitor.open("/dashboard")).status == (303 if action == "block" else 200)


@ensureDeferred
async def test_a_new_code_makes_the_one_before_useless(app: Application) -> None:
    chief = await app.chief()
    alice = await app.has_account("alice")
    path = f"/admin/accounts/{alice['id']}"
    await chief.open(path)
    shown = await chief.follow(await chief.submit(f"{path}/provisioning"))
    token = (await _account(app, alice["id"]))["provisioning_token"]
    assert token != alice["provisioning_token"]
    assert token in shown.text
    used = await app.nobody.get(f"/provisioning/{token}", x_linphone_provisioning="1")
    assert used.status == 200
    assert "Make a new code" in (await chief.open(path)).text
    assert (await chief.open(f"{path}/qrcode")).status == 404


@ensureDeferred
async def test_entries_are_added_replaced_and_deleted_whatever_their_key_is(app: Application) -> None:
    chief = await app.chief()
    odd = "a/b?c=d&é #%"
    alice = await app.has_account("alice", dictionary={odd: "1", "": "nameless"})
    path = f"/admin/accounts/{alice['id']}"
    page = await chief.open(path)
    links = [unescape(link) for link in re.findall(rf'href="({path}/dictionary/[^"]*)"', page.text)]
    edit = await chief.open(next(link for link in links if "/edit" in link and "%25" in link))
    assert 'value="1"' in edit.text
    saved = await chief.submit(f"{path}/dictionary", {"key": odd, "value": "2"})
    assert saved.headers["Location"].startswith(path)
    assert (await _account(app, alice["id"]))["dictionary"] == {odd: "2", "": "nameless"}
    for key, left in ((odd, {"": "nameless"}), ("", {})):
        asked = await chief.open(next(link for link in links if "/delete" in link and ("%25" in link) == bool(key)))
        assert asked.status == 200
        reply = await chief.submit(f"{path}/dictionary", {"_method": "DELETE", "key": key})
        assert reply.status == 303
        assert (await _account(app, alice["id"]))["dictionary"] == left
    assert (await chief.open(f"{path}/dictionary/edit?key=none")).status == 404


@ensureDeferred
async def test_a_wrong_entry_is_named_and_kept(app: Application) -> None:
    chief = await app.chief()
    alice = await app.has_account("alice")
    path = f"/admin/accounts/{alice['id']}"
    await chief.open(path)
    reply = await chief.submit(f"{path}/dictionary", {"key": "k" * 256, "value": ""})
    assert reply.status == 422
    assert "It may not be longer than 255 characters" in reply.text
    assert "The value field is required." in reply.text
    assert f'value="{"k" * 256}"' in reply.text


@ensureDeferred
async def test_whatever_is_typed_is_shown_as_text(app: Application) -> None:
    chief = await app.chief()
    alice = await app.has_account("alice", display_name=HOSTILE, dictionary={HOSTILE: HOSTILE})
    app.sql("UPDATE accounts SET user_agent = %s, ip_address = %s, email = %s WHERE username = 'alice'", *[HOSTILE] * 3)
    path = f"/admin/accounts/{alice['id']}"
    key = "key=%22%3E%3Cscript%3Ealert(1)%3C/script%3E"
    pages = [
        await chief.open(f"{path}{below}")
        for below in ("", "/edit", "/delete", f"/dictionary/edit?{key}", f"/dictionary/delete?{key}")
    ]
    hostile = dict.fromkeys(("username", "display_name", "email", "phone", "dtmf_protocol", "seen"), HOSTILE)
    pages.append(await chief.submit("/admin/accounts/create", hostile))
    pages.append(await chief.submit(path, {"_method": "PUT", "password": "x", **hostile}))
    pages.append(await chief.submit(path, {"_method": "DELETE", "identifier": HOSTILE}))
    pages.append(await chief.submit(f"{path}/dictionary", {"key": HOSTILE}))
    said = await chief.submit(f"{path}/dictionary", {"key": HOSTILE, "value": "v"})
    pages.append(await chief.follow(said))
    assert [page.status for page in pages] == [200] * 5 + [422] * 4 + [200]
    for page in pages:
        assert "<script>alert" not in page.text


@ensureDeferred
async def test_accounts_of_another_space_look_absent_and_stay_unchanged(app: Application) -> None:
    chief = await app.chief()
    (row,) = app.sql("SELECT id FROM accounts WHERE domain = %s", SUPER)
    await app.super_admin.post(f"/api/accounts/{row['id']}/dictionary/a", {"value": "1"})
    before = await _account(app, row["id"])
    fields = {"username": "stolen", "password": "stolen_password", "identifier": f"admin@{SUPER}"}
    routes = [route for route in every_route() if route.portal and "{account_id}" in route.path]
    assert len(routes) >= 14
    assert {route.caller for route in routes} == {ADMIN}
    for route in routes:
        path = route.path.replace("{account_id}", str(row["id"]))
        if route.method == "GET":
            reply = await chief.open(f"{path}?key=a")
        else:
            await chief.open("/dashboard")
            reply = await chief.submit(path, {"_method": route.method, "key": "a", "value": "2", **fields})
        assert reply.status == 404, (route.method, route.path)
    assert await _account(app, row["id"]) == before
