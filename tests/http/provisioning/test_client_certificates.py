"""Signing in with a client certificate; what TLS itself decides is tried in tests/real."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from pytest_twisted import ensureDeferred
from support.application import SUPER, TENANT, Application
from support.certificates import Authority
from support.web import Browser, Reply, digest_answer
from twisted.web.http_headers import Headers

from flexid.base.settings import Tls
from flexid.http.client_certificates import Shown, shown
from flexid.http.peers import Proxies
from flexid.http.request import FlexidRequest

PROXY = "10.0.0.1"
HEADER = {"x_linphone_provisioning": "1"}
ALICE = f"sip:alice@{TENANT}"


@pytest.fixture
def settings() -> dict[str, object]:
    return {
        "trusted_proxies": ("10.0.0.0/8",),
        "tls": {"proxy_verified_header": "X-SSL-Client-Verify", "proxy_subject_header": "X-SSL-Client-Subject"},
    }


def with_certificate(browser: Browser, name: str, verified: str = "SUCCESS") -> Browser:
    return browser.from_(PROXY).as_(X_SSL_Client_Verify=verified, X_SSL_Client_Subject=f"CN={name}")


async def me(browser: Browser) -> Reply:
    return await browser.get("/provisioning/me", **HEADER)


async def allow(app: Application, domain: str = TENANT) -> None:
    await app.change("UPDATE spaces SET client_certificate_authentication = true WHERE domain = %s", domain)


@ensureDeferred
async def test_a_certificate_signs_its_account_in(app: Application) -> None:
    await app.has_account("alice")
    await allow(app)
    reply = await me(with_certificate(app.nobody, ALICE))
    assert reply.status == 200
    assert f"&lt;sip:alice@{TENANT}&gt;" in reply.text or f"sip:alice@{TENANT}" in reply.text


@ensureDeferred
async def test_the_password_of_whom_a_certificate_signs_in_can_be_reset(app: Application) -> None:
    await app.has_account("alice")
    await allow(app)
    browser = with_certificate(app.nobody, ALICE)
    before = (await me(browser)).text
    reply = await browser.get("/provisioning/me?reset_password", **HEADER)
    assert (reply.status, (await me(browser)).text == before) == (200, False)


@ensureDeferred
async def test_a_certificate_that_signs_nobody_in_is_refused_whatever_else_is_there(app: Application) -> None:
    alice = await app.has_account("alice")
    eve = await app.has_account("eve")
    await app.change("UPDATE accounts SET blocked = true WHERE id = %s", eve["id"])
    user = app.user(alice)
    assert (await me(user)).status == 200
    reply = await me(with_certificate(user, ALICE))
    assert (reply.status, reply.json["message"]) == (403, "This Space has no client certificate authentication")
    await allow(app)
    nobodys = "The client certificate belongs to no account of this Space"
    for name, message in (
        (f"sip:nobody@{TENANT}", nobodys),
        (f"sip:admin@{SUPER}", nobodys),
        (f"alice@{TENANT}", nobodys),
        (f"{ALICE},CN={ALICE}", nobodys),
        ("", nobodys),
        (f"sip:eve@{TENANT}", "Account blocked"),
    ):
        reply = await me(with_certificate(user, name))
        assert (reply.status, reply.json["message"]) == (403, message), name
    for verified in ("FAILED:certificate has expired", "FAILED", "success", "SUCCESS, SUCCESS"):
        assert (await me(with_certificate(user, ALICE, verified))).status == 403, verified


@ensureDeferred
async def test_without_a_certificate_the_other_methods_sign_in(app: Application) -> None:
    alice = await app.has_account("alice")
    await allow(app)
    for absent in ("NONE", ""):
        assert (await me(with_certificate(app.user(alice), ALICE, absent))).status == 200
        app.sql("DELETE FROM api_keys WHERE kind = 'user'")
    caller = with_certificate(app.nobody, ALICE, "NONE").as_(From=ALICE)
    challenge = (await me(caller)).all("WWW-Authenticate")[0]
    answer = digest_answer(challenge, "alice", "alice_password", "GET", "/provisioning/me")
    assert (await me(caller.as_(authorization=answer))).status == 200


@ensureDeferred
async def test_from_nobody_but_the_proxy_are_its_headers_believed(app: Application) -> None:
    await app.has_account("alice")
    await allow(app)
    caller = with_certificate(app.nobody, ALICE)
    assert (await me(caller)).status == 200
    assert (await me(caller.from_("192.0.2.1"))).status == 401
    # The proxy itself is asked, not whom it forwards for.
    assert (await me(caller.as_(X_Forwarded_For="192.0.2.1"))).status == 200


@ensureDeferred
async def test_a_certificate_is_of_use_for_ones_own_document_only(app: Application) -> None:
    await app.has_account("alice")
    await allow(app)
    assert (await with_certificate(app.nobody, ALICE).get("/api/accounts/me")).status == 401


@ensureDeferred
async def test_a_space_that_allows_certificates_does_not_let_those_of_super_administrators_in(app: Application) -> None:
    await allow(app)
    assert (await me(with_certificate(app.nobody, f"sip:admin@{SUPER}"))).status == 403
    await allow(app, SUPER)
    assert (await me(with_certificate(app.browser, f"sip:admin@{SUPER}"))).status == 200


def _shown(headers: list[tuple[str, str]], settings: Tls, names: tuple[str, ...] = ()) -> Shown | None:
    certificate = Authority().client(*names).certificate if names else None
    carried = Headers()
    for name, value in headers:
        carried.addRawHeader(name, value)
    request: Any = SimpleNamespace(
        requestHeaders=carried,
        channel=SimpleNamespace(peer_certificate=lambda: certificate),
        getClientAddress=lambda: None,
    )
    return shown(cast("FlexidRequest", request), Proxies.read(["127.0.0.1"]), settings)


def test_a_header_that_comes_twice_is_no_certificate() -> None:
    settings = Tls(proxy_verified_header="V", proxy_subject_header="S")
    good = [("V", "SUCCESS"), ("S", f"CN={ALICE}")]
    assert (read := _shown(good, settings)) is not None
    assert str(read.address) == f"alice@{TENANT}"
    for extra in (("V", "SUCCESS"), ("V", "NONE"), ("S", f"CN={ALICE}")):
        assert _shown([extra, *good], settings) == Shown(None)
    assert _shown(good[:1], settings) == Shown(None)
    assert _shown(good[1:], settings) is None


def test_headers_that_no_setting_names_mean_nothing_and_then_tls_decides() -> None:
    assert _shown([("V", "SUCCESS"), ("S", f"CN={ALICE}")], Tls()) is None
    assert (read := _shown([], Tls(), (ALICE,))) is not None
    assert str(read.address) == f"alice@{TENANT}"
    settings = Tls(proxy_verified_header="V", proxy_subject_header="S")
    assert _shown([], settings, (ALICE,)) is None


@pytest.mark.parametrize("names", [(ALICE, "sip:bob@example.org"), (ALICE, ALICE), ("alice",), (f"{ALICE}\n",)])
def test_a_certificate_names_one_sip_address_or_nobody(names: tuple[str, ...]) -> None:
    assert _shown([], Tls(), names) == Shown(None)


def test_whoever_has_hung_up_shows_no_certificate() -> None:
    request: Any = SimpleNamespace(channel=None)
    assert shown(request, Proxies(), Tls()) is None
