"""The queries that docs/flexisip.md tells operators to configure, on a database that flexid filled."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pytest_twisted import ensureDeferred
from support.application import TENANT, Application

DOCUMENTED = dict(
    re.findall(
        r"^(soci-\S+-request)=(.+)$", (Path(__file__).parents[2] / "docs" / "flexisip.md").read_text(), re.MULTILINE
    )
)
DEFAULT = (
    "select password, algorithm from passwords where account_id ="
    " (select id from accounts where username = :id and domain = :domain and activated = true)"
)


def _bound(query: str) -> str:
    return re.sub(r":(id|domain|phone)\b", r"%(\1)s", query)


@pytest.mark.parametrize("query", [DEFAULT, DOCUMENTED["soci-password-request"]])
@ensureDeferred
async def test_the_password_of_an_activated_account_is_found(app: Application, query: str) -> None:
    account = await app.has_account("alice")
    names = {"id": "alice", "domain": TENANT}
    rows = app.sql(_bound(query), names)
    assert [row["algorithm"] for row in rows] == ["SHA-256"]
    assert re.fullmatch("[0-9a-f]{64}", rows[0]["password"])
    assert app.sql(_bound(query), {**names, "domain": "localhost"}) == []
    await app.admin.post(f"/api/accounts/{account['id']}/deactivate")
    assert app.sql(_bound(query), names) == []


@ensureDeferred
async def test_a_blocked_account_is_kept_out(app: Application) -> None:
    account = await app.has_account("alice")
    await app.admin.post(f"/api/accounts/{account['id']}/block")
    assert app.sql(_bound(DOCUMENTED["soci-password-request"]), {"id": "alice", "domain": TENANT}) == []


@ensureDeferred
async def test_a_phone_number_leads_to_its_account(app: Application) -> None:
    app.sql("UPDATE phone_countries SET activated = true WHERE code = 'FR'")
    await app.has_account("alice", phone="+33612320692")
    one = app.sql(_bound(DOCUMENTED["soci-user-with-phone-request"]), {"phone": "+33612320692"})
    assert one == [{"username": "alice"}]
    many = DOCUMENTED["soci-users-with-phones-request"].replace(":phones", "'+33612320692','bob'")
    assert app.sql(many) == [{"username": "alice", "domain": TENANT, "phone": "+33612320692"}]
