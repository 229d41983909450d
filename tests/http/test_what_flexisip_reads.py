"""The queries that docs/flexisip.md tells operators to configure, on a database that flexid filled."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from psycopg2.extras import RealDictCursor
from pytest_twisted import ensureDeferred
from support.application import SUPER, TENANT, Application

PAGE = (Path(__file__).parents[2] / "docs" / "flexisip.md").read_text()
DEFAULT = (
    "select password, algorithm from passwords where account_id ="
    " (select id from accounts where username = :id and domain = :domain and activated = true)"
)
DOCUMENTED: list[tuple[str, str]] = re.findall(r"^(soci-\S+-request)=(.+)$", PAGE, re.MULTILINE)
PASSWORDS = [query for name, query in DOCUMENTED if name == "soci-password-request"]
PHONES = {name: query for name, query in DOCUMENTED if name != "soci-password-request"}
BLOCKS: list[str] = re.findall(r"^```sql\n(.+?)^```", PAGE, re.MULTILINE | re.DOTALL)
(PROVIDERS,) = re.findall(r"^```json\n(.+?)^```", PAGE, re.MULTILINE | re.DOTALL)
((_, POOL),) = json.loads(PROVIDERS)["accountPools"].items()
LOADER: dict[str, Any] = POOL["loader"]
CARRIER = {"username": "0456", "domain": "sip.carrier.example", "protocol": "TLS", "password": "carrier"}
COLUMNS = {
    *("username", "domain", "user_id", "realm", "secret", "secret_type", "alias_username", "alias_domain"),
    *("outbound_proxy", "registrar", "protocol"),
}


def _asked(app: Application, query: str, **parameters: str) -> list[dict[str, Any]]:
    """Run a query as Flexisip would: as the role of the page, and with its parameters bound as text."""
    bound = re.sub(r"(?<!:):(id|domain|phone|identifier)\b", r"%(\1)s", query)
    connection = psycopg2.connect(app.dsn, cursor_factory=RealDictCursor)
    try:
        with connection.cursor() as cursor:
            cursor.execute(BLOCKS[0])
            cursor.execute("SET ROLE flexisip")
            cursor.execute(bound, parameters or None)
            return [dict(row) for row in cursor.fetchall()]
    finally:
        # The role belongs to the whole server: it goes with the transaction.
        connection.rollback()
        connection.close()


def test_every_query_of_the_page_is_tried_here() -> None:
    known = [*PASSWORDS, *PHONES.values(), LOADER["initQuery"], LOADER["updateQuery"], BLOCKS[1]]
    assert len(PAGE.lower().split("select ")) - 1 == "".join(known).lower().count("select ") + BLOCKS[0].count(
        "SELECT "
    )
    assert (len(PASSWORDS), sorted(PHONES), len(BLOCKS)) == (
        2,
        ["soci-user-with-phone-request", "soci-users-with-phones-request"],
        2,
    )


@pytest.mark.parametrize("query", [DEFAULT, *PASSWORDS])
@ensureDeferred
async def test_the_password_of_an_activated_account_is_found(app: Application, query: str) -> None:
    account = await app.has_account("alice")
    rows = _asked(app, query, id="alice", domain=TENANT)
    expected = hashlib.sha256(f"alice:{TENANT}:alice_password".encode()).hexdigest()
    assert [list(row.items()) for row in rows] == [[("password", expected), ("algorithm", "SHA-256")]]
    assert _asked(app, query, id="alice", domain=SUPER) == []
    await app.admin.post(f"/api/accounts/{account['id']}/deactivate")
    assert _asked(app, query, id="alice", domain=TENANT) == []


@pytest.mark.parametrize("query", PASSWORDS)
@ensureDeferred
async def test_a_blocked_account_is_kept_out(app: Application, query: str) -> None:
    account = await app.has_account("alice")
    await app.admin.post(f"/api/accounts/{account['id']}/block")
    assert _asked(app, query, id="alice", domain=TENANT) == []


async def _has_phone(app: Application) -> dict[str, Any]:
    app.sql("UPDATE phone_countries SET activated = true WHERE code = 'FR'")
    return await app.has_account("alice", phone="+33612320692")


@ensureDeferred
async def test_a_phone_number_leads_to_the_password_where_it_is_to(app: Application) -> None:
    await _has_phone(app)
    by_name, by_phone = (_asked(app, query, id="+33612320692", domain=TENANT) for query in PASSWORDS)
    assert (len(by_name), len(by_phone)) == (0, 1)


@ensureDeferred
async def test_a_phone_number_leads_to_its_account(app: Application) -> None:
    account = await _has_phone(app)
    one = PHONES["soci-user-with-phone-request"]
    assert _asked(app, one, phone="+33612320692") == _asked(app, one, phone="alice") == [{"username": "alice"}]
    many = PHONES["soci-users-with-phones-request"].replace(":phones", "'+33612320692','bob'")
    assert _asked(app, many) == [{"username": "alice", "domain": TENANT, "phone": "+33612320692"}]
    await app.admin.post(f"/api/accounts/{account['id']}/block")
    assert _asked(app, one, phone="+33612320692") == _asked(app, many) == []


@ensureDeferred
async def test_the_domains_are_those_of_the_spaces(app: Application) -> None:
    assert [row["domain"] for row in _asked(app, BLOCKS[1])] == [SUPER, TENANT]


@ensureDeferred
async def test_the_b2bua_finds_external_accounts_of_accounts_that_may_call(app: Application) -> None:
    alice, bob = await app.has_account("alice"), await app.has_account("bob")
    path = f"/api/accounts/{alice['id']}/external"
    made = (await app.admin.post(path, {**CARRIER, "outbound_proxy": "proxy.carrier.example"})).json
    other = (await app.admin.post(f"/api/accounts/{bob['id']}/external", {**CARRIER, "username": "0457"})).json
    # As Flexisip tries it before it begins.
    (first,) = _asked(app, LOADER["initQuery"] + " LIMIT 1;")
    assert first.keys() == COLUMNS
    found = {row["username"]: row for row in _asked(app, LOADER["initQuery"])}
    assert found.keys() == {"0456", "0457"}
    (updated,) = _asked(app, LOADER["updateQuery"], identifier=str(made["id"]))
    assert (
        updated
        == found["0456"]
        == {
            "username": "0456",
            "domain": "sip.carrier.example",
            "user_id": "0456",
            "realm": "sip.carrier.example",
            "secret": hashlib.md5(b"0456:sip.carrier.example:carrier").hexdigest(),  # noqa: S324  # SIP's own
            "secret_type": "MD5",
            "alias_username": "alice",
            "alias_domain": TENANT,
            "outbound_proxy": "proxy.carrier.example",
            "registrar": None,
            "protocol": "TLS",
        }
    )
    await app.admin.post(f"/api/accounts/{bob['id']}/block")
    for gone in (str(other["id"]), "0", "999999"):
        assert _asked(app, LOADER["updateQuery"], identifier=gone) == []
    assert len(_asked(app, LOADER["initQuery"])) == 1


def test_the_examples_of_the_page_are_settings_of_ours() -> None:
    from flexid.base import redis_address  # noqa: PLC0415  # only this one needs it

    shown = re.findall(r"(?:\"|`)((?:rediss?(?:-sentinel)?|unix)://[^\"`…]+)(?:\"|`)", PAGE)
    assert len(shown) >= 4
    for url in shown:
        redis_address.read(url)
