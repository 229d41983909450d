"""Mails that administrators let us send, and where their links lead."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
import zxingcpp
from PIL import Image
from pytest_twisted import ensureDeferred
from support.application import TENANT, TENANT_HOST, Application, at_once
from support.mail import ReadMail, mails
from support.portal import Visitor

BASE = f"https://{TENANT_HOST}"


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, object]:
    return {"data_dir": tmp_path, "public": {"scheme": "https"}, "root_host": "localhost"}


async def _mailed(app: Application, tmp_path: Path, account: dict[str, Any], what: str, **headers: str) -> ReadMail:
    """Let a mail be sent, and return it."""
    reply = await app.admin.post(f"/api/accounts/{account['id']}/send_{what}_email", **headers)
    assert (reply.status, reply.body) == (200, b"")
    await app.services.deliveries.deliver()
    return mails(tmp_path / "mail")[-1]


def _path(mail: ReadMail) -> str:
    """Return the path of a mail's one link."""
    (link,) = mail.links
    assert link.startswith(f"{BASE}/")
    return link.removeprefix(BASE)


@ensureDeferred
async def test_a_provisioning_mail_brings_a_link_and_a_code_that_set_up_linphone(
    app: Application, tmp_path: Path
) -> None:
    alice = await app.has_account("alice", email="alice@example.org")
    mail = await _mailed(app, tmp_path, alice, "provisioning")
    assert (mail.subject, mail.message["To"]) == (f"Welcome to Space of {TENANT}", "alice@example.org")
    assert f"alice@{TENANT}" in mail.text
    (code,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(mail.picture())).convert("L"))
    address = f"{BASE}/provisioning/{alice['provisioning_token']}"
    assert code.text == address
    page = await app.visitor().open(_path(mail))
    assert (page.status, alice["provisioning_token"] in page.text) == (200, True)
    redeem = address.removeprefix(BASE)
    assert (await app.nobody.get(redeem, x_linphone_provisioning="1")).status == 200
    assert "linphone-fetch-config" not in (await app.visitor().open(_path(mail))).text


@ensureDeferred
async def test_who_used_the_code_of_a_mail_gets_no_second_token_by_its_link(app: Application, tmp_path: Path) -> None:
    alice = await app.has_account("alice", email="alice@example.org")
    mail = await _mailed(app, tmp_path, alice, "provisioning")
    token = alice["provisioning_token"]
    assert (await app.nobody.get(f"/provisioning/{token}", x_linphone_provisioning="1")).status == 200
    assert "linphone-fetch-config" not in (await app.visitor().open(_path(mail))).text
    assert (await app.admin.get(f"/api/accounts/{alice['id']}")).json["provisioning_token"] is None


@ensureDeferred
async def test_a_provisioning_mail_brings_a_new_token_where_the_last_was_used(app: Application, tmp_path: Path) -> None:
    alice = await app.has_account("alice", email="alice@example.org")
    await app.nobody.get(f"/provisioning/{alice['provisioning_token']}", x_linphone_provisioning="1")
    mail = await _mailed(app, tmp_path, alice, "provisioning")
    token = (await app.admin.get(f"/api/accounts/{alice['id']}")).json["provisioning_token"]
    assert token not in {None, alice["provisioning_token"]}
    assert token in (await app.visitor().open(_path(mail))).text


@pytest.mark.parametrize("what", ["provisioning", "reset_password"])
@ensureDeferred
async def test_links_follow_the_settings_whatever_host_was_asked(app: Application, tmp_path: Path, what: str) -> None:
    alice = await app.has_account("alice", email="alice@example.org")
    asked = app.super_admin.as_(x_forwarded_host="evil.example", x_forwarded_proto="http")
    assert (await asked.post(f"/api/accounts/{alice['id']}/send_{what}_email")).status == 200
    await app.services.deliveries.deliver()
    assert _path(mails(tmp_path / "mail")[-1])


@pytest.mark.parametrize(
    ("what", "subject", "sentence"),
    [
        ("provisioning", f"Bienvenue chez Space of {TENANT}", "Votre compte"),
        ("reset_password", "Choisissez un nouveau mot de passe", "dans les 24 heures"),
    ],
)
@ensureDeferred
async def test_mails_speak_french_to_who_does(
    app: Application, tmp_path: Path, what: str, subject: str, sentence: str
) -> None:
    alice = await app.has_account("alice", email="alice@example.org")
    mail = await _mailed(app, tmp_path, alice, what, accept_language="fr")
    assert (mail.subject, mail.message["Content-Language"]) == (subject, "fr")
    assert sentence in mail.text
    assert '<html lang="fr">' in mail.html


@ensureDeferred
async def test_a_code_speaks_french_to_who_does(app: Application, tmp_path: Path) -> None:
    alice = await app.has_account("alice")
    user = app.user(alice)
    token = (await app.admin.post("/api/account_creation_tokens")).json["token"]
    await user.post("/api/account_creation_tokens/consume", {"account_creation_token": token})
    body = {"email": "a@example.org"}
    assert (await user.post("/api/accounts/me/email/request", body, accept_language="fr-CH, en;q=0.1")).status == 200
    await app.services.deliveries.deliver()
    (mail,) = mails(tmp_path / "mail")
    shown = (await app.admin.get(f"/api/accounts/{alice['id']}")).json
    assert shown["email_change_code"]["code"] in mail.text
    assert "Le code est valable pendant 10 minutes." in mail.text
    reply = await user.post("/api/accounts/me/email", {"code": shown["email_change_code"]["code"]})
    assert reply.json["email"] == "a@example.org"


@pytest.mark.parametrize("what", ["provisioning", "reset_password"])
@ensureDeferred
async def test_an_account_without_an_email_address_gets_no_mail(app: Application, what: str) -> None:
    bob = await app.has_account("bob")
    reply = await app.admin.post(f"/api/accounts/{bob['id']}/send_{what}_email")
    assert (reply.status, reply.json) == (403, {"message": "No email configured"})
    assert (await app.admin.post(f"/api/accounts/999999/send_{what}_email")).status == 404
    assert app.sql("SELECT id FROM outbox") == []


async def _submit(visitor: Visitor, path: str, password: str, again: str | None = None) -> Any:
    fields = {"token": path.rpartition("/")[2], "password": password, "password_confirmation": again or password}
    return await visitor.submit("/reset_password", fields)


@ensureDeferred
async def test_a_password_is_chosen_once_by_the_link_of_a_mail(app: Application, tmp_path: Path) -> None:
    alice = await app.has_account("alice", email="alice@example.org")
    elsewhere = await app.signed_in("alice")
    path = _path(await _mailed(app, tmp_path, alice, "reset_password"))
    assert len(path.rpartition("/")[2]) == 16
    visitor = app.visitor()
    for _ in range(2):
        page = await visitor.open(path)
        assert (page.status, f"alice@{TENANT}" in page.text) == (200, True)
    reply = await _submit(visitor, path, "brand_new_password")
    assert (reply.status, reply.headers["Location"]) == (303, "/login")
    await app.signed_in("alice", "brand_new_password")
    assert (await app.visitor().sign_in("alice", "alice_password")).status != 303
    assert (await elsewhere.open("/dashboard")).status == 303
    assert (await visitor.open(path)).status == 410
    assert (await _submit(visitor, path, "another_password")).status == 410
    await app.signed_in("alice", "brand_new_password")


@pytest.mark.parametrize(
    ("password", "again", "wrong"),
    [
        ("short", None, "at least 8 characters"),
        ("long_enough", "different_one", "not the same"),
        ("x" * 256, None, "255"),
    ],
)
@ensureDeferred
async def test_a_password_that_cannot_be_taken_leaves_the_link_good(
    app: Application, tmp_path: Path, password: str, again: str | None, wrong: str
) -> None:
    alice = await app.has_account("alice", email="alice@example.org")
    path = _path(await _mailed(app, tmp_path, alice, "reset_password"))
    visitor = app.visitor()
    await visitor.open(path)
    reply = await _submit(visitor, path, password, again)
    assert (reply.status, wrong in reply.text) == (422, True)
    assert (await _submit(visitor, path, "brand_new_password")).status == 303


@ensureDeferred
async def test_of_many_uses_of_a_link_at_once_one_succeeds(app: Application, tmp_path: Path) -> None:
    alice = await app.has_account("alice", email="alice@example.org")
    path = _path(await _mailed(app, tmp_path, alice, "reset_password"))
    visitor = app.visitor()
    await visitor.open(path)
    replies = await at_once(*(_submit(visitor, path, f"new_password_{number}") for number in range(20)))
    assert sorted(reply.status for reply in replies) == [303] + [410] * 19


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE reset_password_email_tokens SET created_at = now() - interval '1441 minutes'",
        "UPDATE reset_password_email_tokens SET used = true",
        "UPDATE accounts SET email = 'other@example.org' WHERE username = 'alice'",
    ],
)
@ensureDeferred
async def test_a_link_that_is_no_longer_good_changes_nothing(app: Application, tmp_path: Path, change: str) -> None:
    alice = await app.has_account("alice", email="alice@example.org")
    path = _path(await _mailed(app, tmp_path, alice, "reset_password"))
    visitor = app.visitor()
    await visitor.open(path)
    app.sql(change)
    status = 404 if "accounts" in change else 410
    assert (await visitor.open(path)).status == status
    assert (await _submit(visitor, path, "brand_new_password")).status == status
    await app.signed_in("alice")


@ensureDeferred
async def test_a_later_mail_voids_the_link_of_an_earlier_one(app: Application, tmp_path: Path) -> None:
    alice = await app.has_account("alice", email="alice@example.org")
    first = _path(await _mailed(app, tmp_path, alice, "reset_password"))
    second = _path(await _mailed(app, tmp_path, alice, "reset_password"))
    assert (await app.visitor().open(first)).status == 410
    assert (await app.visitor().open(second)).status == 200


@ensureDeferred
async def test_a_link_holds_on_its_own_space_only(app: Application, tmp_path: Path) -> None:
    alice = await app.has_account("alice", email="alice@example.org")
    path = _path(await _mailed(app, tmp_path, alice, "reset_password"))
    elsewhere = app.visitor("localhost")
    assert (await elsewhere.open(path)).status == 404
    await elsewhere.open("/login")
    assert (await _submit(elsewhere, path, "brand_new_password")).status == 404
    assert (await app.visitor().open("/reset_password/unknown")).status == 404


@ensureDeferred
async def test_where_a_space_stores_no_passwords_none_is_set(app: Application, tmp_path: Path) -> None:
    alice = await app.has_account("alice", email="alice@example.org")
    path = _path(await _mailed(app, tmp_path, alice, "reset_password"))
    await app.change("DELETE FROM space_digest_authentication_configurations")
    visitor = app.visitor()
    await visitor.open(path)
    assert (await _submit(visitor, path, "brand_new_password")).status == 403
