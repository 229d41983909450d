"""Linphone configures itself from our documents."""

from __future__ import annotations

import hashlib

import pytest
from real.accounts import PASSWORD, change_space, has_account
from real.header_proxy import HeaderProxy, proxy_to
from real.linphone import REGISTRAR, Linphone, Sections, section
from support.flexid_process import Caller

pytestmark = pytest.mark.real

HASHES = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}
STRAYS = "[proxy_1]\nreg_identity=sip:mallory@localhost"


def configured_from(proxy: HeaderProxy, path: str) -> Sections:
    return {"misc": {"config-uri": proxy.url(path)}}


def signed_in(username: str, domain: str, **secret: str) -> Sections:
    proxy_0 = {"reg_identity": f"sip:{username}@{domain}", "reg_proxy": REGISTRAR, "reg_sendregister": "0"}
    return {"proxy_0": proxy_0, "auth_info_0": {"username": username, "realm": domain, "domain": domain, **secret}}


def ha1(algorithm: str, username: str, realm: str) -> str:
    return HASHES[algorithm](f"{username}:{realm}:{PASSWORD}".encode()).hexdigest()


def test_a_token_gives_linphone_its_account_and_credentials_once(
    admin: Caller, proxy: HeaderProxy, linphone: Linphone
) -> None:
    account = has_account(admin, "newcomer", display_name="New Comer")
    path = f"/provisioning/{account['provisioning_token']}"
    assert account["activated"] is False

    linphone.start(configured_from(proxy, path))
    written = linphone.stop()

    assert [exchange.status for exchange in proxy.exchanges] == [200]
    assert section(written, "proxy_0")["reg_identity"] == '"New Comer" <sip:newcomer@localhost>'
    assert section(written, "auth_info_0") == {
        "username": "newcomer",
        "domain": "localhost",
        "ha1": ha1("SHA-256", "newcomer", "localhost"),
        "realm": "localhost",
        "algorithm": "SHA-256",
    }
    assert admin.get(path, x_linphone_provisioning="1").status == 404
    assert admin.get(f"/api/accounts/{account['id']}").json["activated"] is True


def test_a_used_token_leaves_linphone_as_it_was(admin: Caller, proxy: HeaderProxy, linphone: Linphone) -> None:
    path = f"/provisioning/{has_account(admin, 'latecomer')['provisioning_token']}"
    assert admin.get(path, x_linphone_provisioning="1").status == 200

    linphone.start(configured_from(proxy, path))
    written = linphone.stop()

    assert [exchange.status for exchange in proxy.exchanges] == [404]
    assert section(written, "proxy_0") == section(written, "auth_info_0") == {}


@pytest.mark.parametrize("knows_password", [True, False])
@pytest.mark.parametrize("algorithm", ["SHA-256", "MD5"])
def test_linphone_signs_in_by_digest_and_gets_what_was_changed(
    admin: Caller, md5_space: Caller, linphone: Linphone, algorithm: str, *, knows_password: bool
) -> None:
    space = md5_space if algorithm == "MD5" else admin
    username = "by-password" if knows_password else "by-hash"
    stored = ha1(algorithm, username, space.host)
    account = has_account(space, username, activated=True, display_name="Before")
    secret = {"passwd": PASSWORD} if knows_password else {"ha1": stored, "algorithm": algorithm}

    change = {"username": username, "display_name": "After"}
    assert space.put(f"/api/accounts/{account['id']}", change).status == 200
    change_space(space, max_account=7)
    with proxy_to(space) as proxy:
        linphone.start({**configured_from(proxy, "/provisioning/me"), **signed_in(username, space.host, **secret)})
        written = linphone.stop()

    assert [exchange.status for exchange in proxy.exchanges] == [401, 200]
    assert f'algorithm="{algorithm}"' in proxy.exchanges[1].authorization
    assert section(written, "proxy_0")["reg_identity"] == f'"After" <sip:{username}@{space.host}>'
    assert section(written, "auth_info_0")["ha1"] == stored
    assert section(written, "ui")["max_account"] == "7"


def test_linphone_with_a_wrong_password_gets_nothing(admin: Caller, proxy: HeaderProxy, linphone: Linphone) -> None:
    has_account(admin, "forgetful", activated=True, display_name="Secret Name")

    linphone.start(
        {**configured_from(proxy, "/provisioning/me"), **signed_in("forgetful", "localhost", passwd="wrong")}
    )
    written = linphone.stop()

    assert [exchange.status for exchange in proxy.exchanges] == [401, 401, 401]
    assert "wrong" in section(written, "auth_info_0")["passwd"]
    assert "Secret Name" not in written


@pytest.mark.parametrize(
    ("username", "given", "shown"),
    [
        ("quotes", '"Bob" \\ & <sip:x@y>', '\\"Bob\\" \\\\ & <sip:x@y>'),
        ("lines", f"Bob\r\n{STRAYS}\n", f"Bob {STRAYS.replace(chr(10), ' ')} "),
        ("pictures", "Zoë 😀 \u202e\u0007", "Zoë 😀 \u202e"),
        ("entities", "&lt;/entry> ]]> %41 ${HOME}", "&lt;/entry> ]]> %41 ${HOME}"),
    ],
    ids=["quotes", "lines", "pictures", "entities"],
)
def test_linphone_takes_any_display_name_for_a_name_and_nothing_else(
    admin: Caller, proxy: HeaderProxy, linphone: Linphone, username: str, given: str, shown: str
) -> None:
    token = has_account(admin, username, display_name=given)["provisioning_token"]
    identity = f'"{shown}" <sip:{username}@localhost>'

    linphone.start(configured_from(proxy, f"/provisioning/{token}"))
    written = linphone.stop()
    assert [line for line in written.splitlines() if "reg_identity" in line] == [f"reg_identity={identity}"]

    linphone.start_again()
    assert linphone.ask("register-status ALL").count("Id: ") == 1
    assert f"Identity: {identity}\n" in linphone.ask("register-info ALL")
