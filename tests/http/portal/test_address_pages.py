"""New email addresses and phone numbers, on the portal."""

from __future__ import annotations

import re

import pytest
from pytest_twisted import ensureDeferred
from support.application import Application
from support.codes import last_code, sent, wrong

SCRIPT = '"><script>alert(1)</script>'
NEW = {"email": "new@example.org", "phone": "+33 6 12 34 56 78"}
SHOWN = {"email": "new@example.org", "phone": "+33 6 12 34 56 78"}
KEPT = {"email": "new@example.org", "phone": "+33612345678"}
KINDS = pytest.mark.parametrize("kind", ["email", "phone"])


@pytest.fixture(autouse=True)
def _france(app: Application) -> None:
    app.sql("UPDATE phone_countries SET activated = true WHERE code = 'FR'")


@KINDS
@ensureDeferred
async def test_an_address_is_changed_by_the_code_that_goes_there(app: Application, kind: str) -> None:
    account = await app.has_account("alice", email="alice@example.org")
    visitor = await app.signed_in("alice")
    assert f'href="/{kind}/change"' in (await visitor.open("/dashboard")).text
    assert (await visitor.open(f"/{kind}/validate")).headers["Location"] == f"/{kind}/change"
    await visitor.open(f"/{kind}/change")
    reply = await visitor.submit(f"/{kind}/change", {kind: NEW[kind]})
    assert SHOWN[kind] in (await visitor.follow(reply)).text
    assert (await app.admin.get(f"/api/accounts/{account['id']}")).json[kind] == account[kind]
    reply = await visitor.submit(f"/{kind}/validate", {"code": last_code(app)})
    assert "is confirmed." in (await visitor.follow(reply)).text
    assert (await app.admin.get(f"/api/accounts/{account['id']}")).json[kind] == KEPT[kind]


@KINDS
@ensureDeferred
async def test_three_wrong_codes_make_it_void(app: Application, kind: str) -> None:
    await app.has_account("alice")
    visitor = await app.signed_in("alice")
    await visitor.open(f"/{kind}/change")
    await visitor.submit(f"/{kind}/change", {kind: NEW[kind]})
    code = last_code(app)
    for _ in range(3):
        reply = await visitor.submit(f"/{kind}/validate", {"code": wrong(code)})
        assert (reply.status, 'id="code-error"' in reply.text) == (422, True)
    reply = await visitor.submit(f"/{kind}/validate", {"code": code})
    assert (reply.status, "This code is void." in reply.text) == (422, True)


@KINDS
@ensureDeferred
async def test_what_is_wrong_is_said_and_no_markup(app: Application, kind: str) -> None:
    await app.has_account("bob", **KEPT)
    await app.has_account("alice")
    visitor = await app.signed_in("alice")
    await visitor.open(f"/{kind}/change")
    for value in ("", "nonsense", SCRIPT, KEPT[kind]):
        reply = await visitor.submit(f"/{kind}/change", {kind: value})
        assert (reply.status, f'id="{kind}-error"' in reply.text, SCRIPT in reply.text) == (422, True, False)
    assert sent(app) == []


@ensureDeferred
async def test_who_asks_for_too_many_codes_is_blocked(app: Application) -> None:
    await app.has_account("alice")
    visitor = await app.signed_in("alice")
    await visitor.open("/email/change")
    replies = [await visitor.submit("/email/change", {"email": f"new{number}@example.org"}) for number in range(6)]
    assert [reply.headers["Location"] for reply in replies] == ["/email/validate"] * 5 + ["/blocked"]
    assert (await visitor.open("/email/change")).headers["Location"] == "/blocked"
    assert len(sent(app)) == 5


@ensureDeferred
async def test_the_pages_speak_french(app: Application) -> None:
    await app.has_account("alice")
    visitor = await app.signed_in("alice")
    shown = await visitor.open("/phone/change", accept_language="fr")
    assert re.search("Nouveau numéro de téléphone", shown.text)
