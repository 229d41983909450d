from __future__ import annotations

import re

from pytest_twisted import ensureDeferred
from support.application import Application

SCRIPT = '"><script>alert(1)</script>'
PAGE = "/admin/api_keys"


def _shown_key(text: str) -> str:
    key: str = re.findall(r"<code[^>]*>([A-Za-z0-9]{40})</code>", text)[0]
    return key


@ensureDeferred
async def test_a_key_is_shown_once_and_works_until_it_is_deleted(app: Application) -> None:
    await app.has_account("chief", admin=True)
    visitor = await app.signed_in("chief")
    await visitor.open(PAGE)
    made = await visitor.submit(PAGE, {"name": "backup script"})
    assert made.status == 200
    key = _shown_key(made.text)
    again = await visitor.open(PAGE)
    assert key not in again.text
    assert key[:6] in again.text
    browser = app.nobody.as_(x_api_key=key)
    assert (await browser.get("/api/accounts")).status == 200
    (row,) = app.sql("SELECT id FROM api_keys WHERE name = 'backup script'")
    asked = await visitor.open(f"{PAGE}/{row['id']}/delete")
    assert "backup script" in asked.text
    reply = await visitor.submit(f"{PAGE}/{row['id']}", {"_method": "DELETE"})
    assert "The key backup script is deleted" in (await visitor.follow(reply)).text
    assert (await browser.get("/api/accounts")).status == 401


@ensureDeferred
async def test_a_key_may_be_bound_to_an_address_and_to_its_use(app: Application) -> None:
    await app.has_account("chief", admin=True)
    visitor = await app.signed_in("chief")
    await visitor.open(PAGE)
    fields = {"name": "pbx", "ip": " 2001:DB8::1 ", "expires_after_last_used_minutes": "60"}
    key = _shown_key((await visitor.submit(PAGE, fields)).text)
    assert (await app.nobody.as_(x_api_key=key).get("/api/accounts")).status == 401
    assert (await app.nobody.from_("192.0.2.1").as_(x_api_key=key).get("/api/accounts")).status == 401
    (row,) = app.sql("SELECT ip, expires_after_last_used_minutes AS minutes FROM api_keys WHERE name = 'pbx'")
    assert (row["ip"], row["minutes"]) == ("2001:db8::1", 60)


@ensureDeferred
async def test_all_that_is_wrong_with_a_key_is_said_at_once(app: Application) -> None:
    await app.has_account("chief", admin=True)
    visitor = await app.signed_in("chief")
    await visitor.open(PAGE)
    reply = await visitor.submit(PAGE, {"ip": "no address", "expires_after_last_used_minutes": "-1"})
    assert reply.status == 422
    assert reply.text.count('aria-invalid="true"') == 3
    assert 'value="no address"' in reply.text
    assert not app.sql("SELECT id FROM api_keys WHERE name IS NOT NULL AND name <> 'a'")


@ensureDeferred
async def test_a_name_of_a_key_is_no_markup(app: Application) -> None:
    await app.has_account("chief", admin=True)
    visitor = await app.signed_in("chief")
    await visitor.open(PAGE)
    assert SCRIPT not in (await visitor.submit(PAGE, {"name": SCRIPT})).text
    assert SCRIPT not in (await visitor.open(PAGE)).text


@ensureDeferred
async def test_keys_of_another_space_are_out_of_sight_and_out_of_reach(app: Application) -> None:
    await app.has_account("chief", admin=True)
    visitor = await app.signed_in("chief")
    app.sql(
        "UPDATE api_keys SET name = 'secret plan' WHERE account_id IN (SELECT id FROM accounts WHERE domain <> %s)",
        "tenant.example.org",
    )
    (row,) = app.sql("SELECT id FROM api_keys WHERE name = 'secret plan'")
    assert "secret plan" not in (await visitor.open(PAGE)).text
    assert (await visitor.open(f"{PAGE}/{row['id']}/delete")).status == 404
    assert (await visitor.submit(f"{PAGE}/{row['id']}", {"_method": "DELETE"})).status == 404
    assert (await app.super_admin.get("/api/accounts")).status == 200
