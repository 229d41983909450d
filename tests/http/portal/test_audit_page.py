"""Administrators look through the audit log on the portal."""

from __future__ import annotations

from pytest_twisted import ensureDeferred
from support.application import SUPER, TENANT, Application

HOSTILE = '"><script>alert(1)</script>'


@ensureDeferred
async def test_the_log_says_who_did_what_and_from_where(app: Application) -> None:
    alice = await app.has_account("alice")
    await app.admin.as_(user_agent="Fox/1").post(f"/api/accounts/{alice['id']}/block")
    chief = await app.chief()
    html = (await chief.open("/admin/audit")).text
    for shown in (f"alice@{TENANT}", "Blocked", f"admin@{TENANT}", "API key", "tenant…", "Fox/1", "127.0.0.1"):
        assert shown in html, shown
    assert "Sign-in of an administrator" in html
    assert "Journal d" in (await chief.open("/admin/audit", Accept_Language="fr")).text


@ensureDeferred
async def test_filters_narrow_the_log_and_stay_in_the_links(app: Application) -> None:
    for number in range(32):
        await app.has_account(f"user{number}")
    chief = await app.chief()
    reply = await chief.open(f"/admin/audit?action=account&actor=admin@{TENANT}")
    assert "Sign-in of an administrator" not in reply.text.partition("<tbody>")[2]
    assert f"/admin/audit?actor=admin%40{TENANT}&amp;action=account&amp;page=2" in reply.text
    assert "Nothing was noted that matches" in (await chief.open("/admin/audit?until=2020-01-01")).text
    for nonsense in ("since=yesterday", "until=9999-12-31", "page=x", "account=" + 300 * "9", "action=%00"):
        assert (await chief.open(f"/admin/audit?{nonsense}")).status == 200, nonsense


@ensureDeferred
async def test_an_administrator_sees_the_own_space_only(app: Application) -> None:
    await app.super_admin.post("/api/accounts", {"username": "carol", "password": "carol_password"})
    chief = await app.chief()
    assert "carol@" not in (await chief.open(f"/admin/audit?space={SUPER}")).text
    boss = await app.boss("localhost")
    assert f"carol@{SUPER}" in (await boss.open("/admin/audit")).text
    assert f"carol@{SUPER}" not in (await boss.open(f"/admin/audit?space={TENANT}")).text


@ensureDeferred
async def test_what_somebody_typed_is_shown_as_text(app: Application) -> None:
    chief = await app.chief()
    app.sql(
        "INSERT INTO audit_log (domain, action, account, account_id, actor, means, credential, ip, user_agent, details)"
        " VALUES (%(domain)s, %(text)s, %(text)s, 1, %(text)s, %(text)s, %(text)s, %(text)s, %(text)s,"
        " jsonb_build_object('changed', jsonb_build_array(%(text)s), 'name', %(text)s))",
        {"domain": TENANT, "text": HOSTILE},
    )
    for query in ("", "?account=" + HOSTILE.replace(">", "%3E"), "?actor=" + HOSTILE, "?action=" + HOSTILE):
        assert "<script>alert" not in (await chief.open(f"/admin/audit{query.replace('<', '%3C')}")).text
