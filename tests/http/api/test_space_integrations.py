from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from pytest_twisted import ensureDeferred
from support.application import SUPER, TENANT, Application, at_once

CARDDAVS, EMAIL, OIDC = (f"/api/spaces/{TENANT}/{name}" for name in ("carddavs", "email", "oidc"))
DIRECTORY = {
    "uri": "https://carddav.example.org/dav",
    "enabled": True,
    "use_exact_match_policy": False,
    "min_characters": 3,
    "results_limit": 0,
    "timeout": 6,
    "delay": 500,
    "fields_for_user_input": "FN,N,IMPP",
    "fields_for_domain": "IMPP",
}
MAIL = {"host": "Mail.example.org", "port": "587", "username": "tenant", "password": "mail_password"}
SECRETS = ("mail_password", "oidc_secret")


def _pem(key: Any) -> str:
    pem: bytes = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem.decode()


@ensureDeferred
async def test_a_carddav_server_is_added_shown_replaced_and_deleted(app: Application) -> None:
    assert (await app.super_admin.get(CARDDAVS)).json == []
    added = await app.super_admin.post(CARDDAVS, DIRECTORY)
    assert (added.status, added.headers["Content-Type"]) == (200, "application/json")
    times = {"created_at": added.json["created_at"], "updated_at": added.json["created_at"]}
    assert added.json == {"id": added.json["id"], **DIRECTORY, **times}
    path = f"{CARDDAVS}/{added.json['id']}"
    assert (await app.super_admin.get(path)).json == added.json
    assert (await app.super_admin.get(CARDDAVS)).json == [added.json]
    assert (await app.super_admin.get(f"/api/spaces/{TENANT}")).json["carddav_servers"] == [added.json]
    changed = await app.super_admin.put(path, {"uri": "http://dav.example.org:8080/"})
    assert changed.status == 200
    defaults = {"enabled": False, "min_characters": 3, "results_limit": 0, "timeout": 5, "delay": 500}
    assert changed.json | defaults == changed.json
    assert (changed.json["fields_for_domain"], changed.json["created_at"]) == (None, times["created_at"])
    assert (await app.super_admin.delete(path)).json == 1
    for method in ("GET", "PUT", "DELETE"):
        assert (await app.super_admin.ask(method, path, DIRECTORY)).status == 404
    assert (await app.super_admin.get(CARDDAVS)).json == []


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"uri": None}, {"uri"}),
        ({"uri": "carddav.example.org", "min_characters": 0, "delay": 99}, {"uri", "min_characters", "delay"}),
        ({"uri": "javascript:alert(1)", "timeout": 0, "results_limit": -1}, {"uri", "timeout", "results_limit"}),
        ({"uri": "https://name:password@dav.example.org/"}, {"uri"}),
        ({"uri": "https:///dav"}, {"uri"}),
        ({"uri": "https://dav.example.org:99999/"}, {"uri"}),
        ({"uri": "https://dav.example.org/a b"}, {"uri"}),
        (
            {"fields_for_user_input": "FN, N", "fields_for_domain": ",IMPP"},
            {"fields_for_user_input", "fields_for_domain"},
        ),
        ({"enabled": "perhaps", "use_exact_match_policy": 2}, {"enabled", "use_exact_match_policy"}),
    ],
)
@ensureDeferred
async def test_what_is_wrong_with_a_carddav_server_is_named(
    app: Application, changes: dict[str, Any], wrong: set[str]
) -> None:
    reply = await app.super_admin.post(CARDDAVS, {**DIRECTORY, **changes})
    assert (reply.status, set(reply.json["errors"])) == (422, wrong)
    assert (await app.super_admin.get(CARDDAVS)).json == []


@ensureDeferred
async def test_a_carddav_server_belongs_to_one_space(app: Application) -> None:
    added = (await app.super_admin.post(CARDDAVS, DIRECTORY)).json
    elsewhere = f"/api/spaces/{SUPER}/carddavs/{added['id']}"
    for method in ("GET", "PUT", "DELETE"):
        assert (await app.super_admin.ask(method, elsewhere, {**DIRECTORY, "enabled": False})).status == 404
    assert (await app.super_admin.get(CARDDAVS)).json == [added]
    for path in ("carddavs", "carddavs/1", "email", "oidc"):
        assert (await app.super_admin.get(f"/api/spaces/nowhere.example.org/{path}")).status == 404
    for path, body in (("carddavs", DIRECTORY), ("email", MAIL)):
        assert (await app.super_admin.post(f"/api/spaces/nowhere.example.org/{path}", body)).status == 404


@ensureDeferred
async def test_a_mail_server_is_made_replaced_and_deleted_and_its_password_never_shown(app: Application) -> None:
    assert (await app.super_admin.get(EMAIL)).status == 404
    made = await app.super_admin.post(EMAIL, {**MAIL, "from_address": "a@example.org", "signature": "Yours\nTenant"})
    assert made.status == 201
    assert made.json == {
        "id": made.json["id"],
        "host": "mail.example.org",
        "port": 587,
        "username": "tenant",
        "from_address": "a@example.org",
        "from_name": None,
        "signature": "Yours\nTenant",
        "created_at": made.json["created_at"],
        "updated_at": made.json["created_at"],
    }
    shown = await app.super_admin.get(EMAIL)
    space = await app.super_admin.get(f"/api/spaces/{TENANT}")
    assert shown.json == space.json["email_server"] == made.json
    assert not any(secret in reply.text for reply in (made, shown, space) for secret in SECRETS)
    assert app.sql("SELECT password FROM space_email_servers") == [{"password": "mail_password"}]
    replaced = await app.super_admin.post(EMAIL, {"host": "smtp.example.org", "port": 25})
    assert (replaced.status, replaced.json["id"], replaced.json["username"]) == (200, made.json["id"], None)
    assert app.sql("SELECT password FROM space_email_servers") == [{"password": None}]
    assert (await app.super_admin.delete(EMAIL)).json == 1
    assert (await app.super_admin.delete(EMAIL)).status == 404
    assert (await app.super_admin.get(f"/api/spaces/{TENANT}")).json["email_server"] is None


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({}, {"host", "port"}),
        ({**MAIL, "host": "a b", "port": 65536}, {"host", "port"}),
        ({**MAIL, "from_address": "nobody", "from_name": "a\r\nBcc: b@example.org"}, {"from_address", "from_name"}),
        ({**MAIL, "password": "x" * 256, "username": "a\0"}, {"password", "username"}),
    ],
)
@ensureDeferred
async def test_what_is_wrong_with_a_mail_server_is_named(
    app: Application, body: dict[str, Any], wrong: set[str]
) -> None:
    reply = await app.super_admin.post(EMAIL, body)
    assert (reply.status, set(reply.json["errors"])) == (422, wrong)


@ensureDeferred
async def test_of_many_mail_servers_made_at_once_one_is_first(app: Application) -> None:
    replies = await at_once(*(app.super_admin.post(EMAIL, {**MAIL, "port": 25 + number}) for number in range(5)))
    assert sorted(reply.status for reply in replies) == [200, 200, 200, 200, 201]
    assert len({reply.json["id"] for reply in replies}) == 1


@ensureDeferred
async def test_an_openid_configuration_is_made_replaced_and_deleted_and_its_secret_never_shown(
    app: Application,
) -> None:
    assert (await app.super_admin.get(OIDC)).status == 404
    pem = _pem(rsa.generate_private_key(65537, 2048).public_key())
    given = {"server_url": "https://sso.example.org/auth", "realm": "tenant", "public_key": pem}
    made = await app.super_admin.put(
        OIDC, {**given, "client_id": "flexid", "client_secret": "oidc_secret", "auto_provisioning": "1"}
    )
    assert made.status == 200
    assert made.json == {
        "server_url": "https://sso.example.org/auth/",
        "realm": "tenant",
        "sip_identifier": "sip_identity",
        "client_id": "flexid",
        "role_provisioning": None,
        "auto_provisioning": True,
        "public_key": pem,
    }
    shown = await app.super_admin.get(OIDC)
    space = await app.super_admin.get(f"/api/spaces/{TENANT}")
    assert shown.json == space.json["oidc_authentication_configuration"] == made.json
    assert not any(secret in reply.text for reply in (made, shown, space) for secret in SECRETS)
    stored = "SELECT client_secret FROM space_oidc_authentication_configurations"
    assert app.sql(stored) == [{"client_secret": "oidc_secret"}]
    replaced = await app.super_admin.put(OIDC, {"server_url": "http://sso.example.org//", "realm": "other"})
    assert (replaced.json["server_url"], replaced.json["public_key"]) == ("http://sso.example.org/", None)
    assert app.sql(stored) == [{"client_secret": None}]
    assert (await app.super_admin.delete(OIDC)).json == 1
    assert (await app.super_admin.delete(OIDC)).status == 404


@ensureDeferred
async def test_what_is_wrong_with_an_openid_configuration_is_named(app: Application) -> None:
    good = {"server_url": "https://sso.example.org/", "realm": "tenant"}
    assert set((await app.super_admin.put(OIDC, {})).json["errors"]) == {"server_url", "realm"}
    private = rsa.generate_private_key(65537, 2048)
    pems = {
        "private": private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        "elliptic": _pem(ec.generate_private_key(ec.SECP256R1()).public_key()),
        "short": _pem(rsa.generate_private_key(65537, 1024).public_key()),  # noqa: S505  # to be refused
        "none": "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
        "text": "a key",
    }
    for name, pem in pems.items():
        reply = await app.super_admin.put(OIDC, {**good, "public_key": pem})
        assert (reply.status, list(reply.json["errors"])) == (422, ["public_key"]), name
    wrongs: list[dict[str, Any]] = [
        {"server_url": "ftp://sso.example.org/"},
        {"server_url": "https://sso.example.org/?a=b"},
        {"realm": 'a"b'},
        {"realm": "../x"},
        {"client_secret": ["x"]},
    ]
    for wrong in wrongs:
        reply = await app.super_admin.put(OIDC, {**good, **wrong})
        assert (reply.status, set(reply.json["errors"])) == (422, set(wrong)), wrong
    assert (await app.super_admin.get(OIDC)).status == 404


@ensureDeferred
async def test_what_a_space_works_together_with_is_for_super_administrators(app: Application) -> None:
    await app.super_admin.post(CARDDAVS, DIRECTORY)
    for path in (CARDDAVS, EMAIL, OIDC):
        for method in ("GET", "POST", "PUT", "DELETE"):
            reply = await app.admin.ask(method, path, {**DIRECTORY, **MAIL})
            assert reply.status in {403, 405}, (method, path)
    assert len((await app.super_admin.get(CARDDAVS)).json) == 1
