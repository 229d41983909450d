"""What requests cost: how many statements, and that none of them walks through all accounts."""

from __future__ import annotations

import importlib
import pkgutil
import re

import pytest
from pytest_twisted import ensureDeferred
from support.application import TENANT, Application
from support.web import digest_answer

import flexid.store
from flexid.store.prepared import prepared
from flexid.store.query import Query

WHOLE_SPACE = {"drop the passwords of a Space", "whether a Space has passwords"}
"""Statements whose purpose is every account of a Space."""
HEADER = {"x_linphone_provisioning": "1"}


@ensureDeferred
async def test_hot_requests_cost_one_statement_or_none(app: Application, asked: list[str]) -> None:
    account = await app.has_account("alice")
    user = app.user(account)
    for browser in (user, app.admin):
        await browser.get("/api/accounts/me")
    for browser, path, statements in (
        (app.nobody, "/api/ping", []),
        (app.nobody, "/provisioning", []),
        (user, "/api/accounts/me", ["find an account"]),
        (user, "/provisioning/me", ["find an account"]),
        (app.admin, f"/api/resolve/alice@{TENANT}", ["find an account by address"]),
        (app.nobody, f"/provisioning/{account['provisioning_token']}", ["redeem a provisioning token"]),
        (app.admin, "/api/accounts?page=1", ["page of accounts"]),
    ):
        asked.clear()
        assert (await browser.get(path, **HEADER)).status == 200
        assert asked == statements, path


@pytest.mark.parametrize(
    "settings",
    [{"trusted_proxies": ("127.0.0.1",), "tls": {"proxy_verified_header": "V", "proxy_subject_header": "S"}}],
)
@ensureDeferred
async def test_a_certificate_costs_one_statement(app: Application, asked: list[str]) -> None:
    await app.has_account("alice")
    await app.change("UPDATE spaces SET client_certificate_authentication = true")
    alice = app.nobody.as_(V="SUCCESS", S=f"CN=sip:alice@{TENANT}")
    await alice.get("/provisioning/me", **HEADER)
    asked.clear()
    assert (await alice.get("/provisioning/me", **HEADER)).status == 200
    assert asked == ["find an account by its certificate"]


@ensureDeferred
async def test_a_creation_costs_one_statement(app: Application, asked: list[str]) -> None:
    await app.has_account("alice")
    asked.clear()
    await app.admin.post("/api/accounts", {"username": "bob", "password": "bob_password", "dictionary": {"a": "b"}})
    assert asked == ["create an account"]


@ensureDeferred
async def test_digest_costs_one_statement_to_ask_and_two_to_answer(app: Application, asked: list[str]) -> None:
    await app.has_account("alice")
    alice = app.nobody.as_(From=f"sip:alice@{TENANT}")
    await alice.get("/api/accounts/me")
    asked.clear()
    challenge = (await alice.get("/api/accounts/me")).all("WWW-Authenticate")[0]
    assert asked == ["find credentials"]
    asked.clear()
    answer = digest_answer(challenge, "alice", "alice_password", "GET", "/api/accounts/me")
    assert (await alice.get("/api/accounts/me", authorization=answer)).status == 200
    assert asked == ["find credentials and failures", "count an answer to a nonce"]


def _queries() -> list[Query]:
    modules = [
        importlib.import_module(f"flexid.store.{found.name}")
        for found in pkgutil.iter_modules(flexid.store.__path__)
        if not found.ispkg
    ]
    return sorted(
        {value for module in modules for value in vars(module).values() if isinstance(value, Query) and value.prepare},
        key=lambda query: query.name,
    )


@ensureDeferred
async def test_no_statement_walks_through_all_accounts(app: Application) -> None:
    app.sql("INSERT INTO accounts (username, domain) SELECT 'user' || n, %s FROM generate_series(1, 20000) n", TENANT)
    app.sql("INSERT INTO passwords (account_id, algorithm, password) SELECT id, 'MD5', 'x' FROM accounts")
    app.sql("INSERT INTO provisioning_tokens (account_id, token) SELECT id, 'token' || id FROM accounts")
    app.sql("ANALYZE")
    queries = _queries()
    assert len(queries) > 40
    walking = set()
    for query in queries:
        text = re.sub(r"^PREPARE \w+ AS", "EXPLAIN (GENERIC_PLAN)", prepared(query, "plan").prepare)
        plan = "\n".join(row["QUERY PLAN"] for row in app.sql(text))
        if re.search(r"Seq Scan on (accounts|passwords|account_names|provisioning_tokens)\b", plan):
            walking.add(query.name)
    assert walking == WHOLE_SPACE
