"""Debian's liblinphone makes its calls of this API: JSON as strings, Digest from its own account, odd headers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from real.accounts import PASSWORD, has_account
from real.conftest import require
from real.flexiapi_client import COMPILER, HEADER, FlexiApiClient, compiled, started
from support.flexid_process import Caller, Flexid

pytestmark = pytest.mark.real

NEW_PASSWORD = "another_password"


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if COMPILER is None or not HEADER.exists():
        require("g++ and liblinphone-dev are not installed")
    return compiled(tmp_path_factory.mktemp("flexiapi_client"))


@pytest.fixture
def newcomer(flexid: Flexid, admin: Caller) -> dict[str, object]:
    """An account that an application has created for itself, with a token."""
    token = admin.post("/api/account_creation_tokens", {}).json["token"]
    fields = {"username": "pushed", "password": PASSWORD, "algorithm": "SHA-256", "account_creation_token": token}
    created = flexid.caller().post("/api/accounts/with-account-creation-token", fields)
    assert created.status == 200, created.text
    account: dict[str, object] = created.json
    return account


@pytest.fixture
def user(program: Path, tmp_path: Path, admin: Caller, newcomer: dict[str, object]) -> Iterator[FlexiApiClient]:
    assert admin.post("/api/phone_countries/FR/activate", {}).status == 200
    with signed_in(program, tmp_path, admin, str(newcomer["username"]), PASSWORD) as client:
        yield client


@pytest.fixture
def manager(program: Path, tmp_path: Path, admin: Caller) -> Iterator[FlexiApiClient]:
    with started(program, tmp_path, "[misc]\nx=1\n", url(admin), admin.headers["x-api-key"]) as client:
        yield client


def url(space: Caller) -> str:
    return f"http://{space.authority}/api/"


def signed_in(
    program: Path, home: Path, space: Caller, username: str, password: str
) -> AbstractContextManager[FlexiApiClient]:
    configuration = f"""
[sip]
default_proxy=0
[proxy_0]
reg_identity=sip:{username}@{space.host}
reg_proxy=sip:127.0.0.1:5070
reg_sendregister=0
[auth_info_0]
username={username}
passwd={password}
realm={space.host}
domain={space.host}
"""
    return started(program, home, configuration, url(space))


def test_a_user_looks_after_its_account(
    user: FlexiApiClient, admin: Caller, newcomer: dict[str, object], program: Path, tmp_path: Path
) -> None:
    path = f"/api/accounts/{newcomer['id']}"
    assert user.ask("ping").body == b"pong"
    me = user.ask("me")
    assert (me.status, me.json["id"], me.json["activated"]) == (200, newcomer["id"], False)
    assert (user.ask("contacts").json, user.ask("contact", f"nobody@{admin.host}").status) == ([], 404)

    assert user.ask("email-request", "pushed@example.org").status == 200
    assert user.ask("phone-request", "+33612345678").status == 200
    pending = admin.get(path).json
    assert pending["email_change_code"]["email"] == "pushed@example.org"
    wrong = "1111" if pending["phone_change_code"]["code"] != "1111" else "2222"
    assert user.ask("phone", wrong).status == 422
    assert user.ask("phone", pending["phone_change_code"]["code"]).status == 200
    assert admin.get(path).json | {"phone": "+33612345678", "activated": True} == admin.get(path).json

    assert user.ask("password", "SHA-256", NEW_PASSWORD, "not_the_password").status == 422
    assert user.ask("password", "SHA-256", NEW_PASSWORD, PASSWORD).status == 200
    assert user.ask("me").status == 401
    with signed_in(program, tmp_path / "again", admin, "pushed", NEW_PASSWORD) as again:
        assert again.ask("me").status == 200
        assert again.ask("delete").status == 200
    assert admin.get(path).status == 404


def test_an_administrator_manages_accounts(manager: FlexiApiClient, admin: Caller) -> None:
    assert admin.post("/api/phone_countries/FR/activate", {}).status == 200
    fields = ("managed", PASSWORD, "SHA-256", admin.host, "managed@example.org", "+33687654321", "sipinfo")
    created = manager.ask("admin-create", *fields)
    assert created.status == 200
    account = created.json
    assert (account["activated"], account["dtmf_protocol"]) == (True, "sipinfo")
    assert manager.ask("admin-create", *fields).status == 422
    assert manager.ask("admin-get", account["id"]).json == account
    assert manager.ask("admin-list").json == admin.get("/api/accounts").json
    assert manager.ask("admin-search", f"sip:managed@{admin.host}").json["id"] == account["id"]
    assert manager.ask("admin-search", f"nobody@{admin.host}").status == 404
    # Activating is a POST; that release of liblinphone sends a GET.
    assert manager.ask("admin-activate", account["id"]).status == 405

    friend = has_account(admin, "friend")
    assert manager.ask("admin-contact-add", account["id"], friend["id"]).status == 200
    assert [one["id"] for one in manager.ask("admin-contacts", account["id"]).json] == [friend["id"]]
    assert manager.ask("admin-contact-delete", account["id"], friend["id"]).status == 200
    assert manager.ask("admin-contacts", account["id"]).json == []
    assert manager.ask("admin-delete", account["id"]).status == 200
    assert manager.ask("admin-get", account["id"]).status == 404


def test_calls_that_servers_no_longer_have_are_not_found(manager: FlexiApiClient, admin: Caller) -> None:
    assert manager.ask("info", f"tester@{admin.host}").status == 404
