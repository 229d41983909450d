"""Whatever changes is noted, with who did it, in the transaction of the change."""

from __future__ import annotations

from typing import Any

from pytest_twisted import ensureDeferred
from support.application import SUPER, TENANT, Application

from flexid.domain.acting import Doer, acting
from flexid.store.doer import QUIET_TABLES, concerns_the_log

OF_NO_CONCERN = {
    "account_creation_request_tokens": "a record of its own, with address and program; what it leads to is noted",
    "account_creation_tokens": "the same",
    "account_emails": "kept by triggers, of what is noted",
    "account_files": "voicemails: traffic, not settings",
    "account_names": "kept by triggers, of what is noted",
    "account_recovery_tokens": "a record of its own; the password that is set is noted",
    "auth_tokens": "the same; the session or key that it opens is noted",
    "email_change_codes": "the same; the new address is noted",
    "idempotency_marks": "part of answering",
    "oidc_deactivations": "which accounts were deactivated by a server: that is noted with the account",
    "phone_change_codes": "a record of its own; the new number is noted",
    "provisioning_tokens": "a record of its own, with address and program",
    "recoveries": "a record of its own; the password that is set is noted",
    "recovery_codes": "the same",
    "registrations": "the same; the account is noted",
    "reset_password_email_tokens": "the same; the password that is set is noted",
    "schema_migrations": "the releases of flexid",
    "upstream_accounts": "which accounts were moved here: the accounts themselves are noted",
    "vcards_storage": "the user's own address book, synchronised by applications",
    "wizards": "a record of its own",
}
"""Tables without a trigger of the log's, and why they need none."""


def log(app: Application) -> list[dict[str, Any]]:
    return app.sql("SELECT * FROM audit_log ORDER BY id")


def last(app: Application) -> dict[str, Any]:
    return log(app)[-1]


@ensureDeferred
async def test_every_table_is_watched_or_has_a_reason(app: Application) -> None:
    watched = {
        row["relname"]
        for row in app.sql(
            "SELECT c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
            " WHERE t.tgname LIKE 'write_audit_log%'"
        )
    }
    tables = {row["tablename"] for row in app.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}
    silent = {*QUIET_TABLES, *OF_NO_CONCERN, "audit_log"}
    assert tables - silent == watched
    assert silent <= tables


def test_statements_on_quiet_tables_name_nobody() -> None:
    assert concerns_the_log("WITH a AS (UPDATE nonces SET nc = 1 RETURNING *) INSERT INTO api_keys SELECT FROM a")
    assert not concerns_the_log("UPDATE nonces SET nc = nc + 1")
    assert not concerns_the_log("SELECT id FROM accounts FOR UPDATE SKIP LOCKED")
    assert not concerns_the_log("INSERT INTO nonces (nc) VALUES (1) ON CONFLICT (nc) DO UPDATE SET nc = 2")


@ensureDeferred
async def test_an_entry_says_who_did_what_to_whom_and_from_where(app: Application) -> None:
    alice = await app.has_account("alice")
    browser = app.admin.as_(user_agent="Fox/1", x_request_id="the-request-1")
    await browser.post(f"/api/accounts/{alice['id']}/block")
    entry = last(app)
    del entry["id"], entry["created_at"]
    assert entry == {
        "domain": TENANT,
        "action": "account.blocked",
        "account_id": alice["id"],
        "account": f"alice@{TENANT}",
        "actor_id": 2,
        "actor": f"admin@{TENANT}",
        "means": "api_key",
        "credential": "tenant",
        "ip": "127.0.0.1",
        "user_agent": "Fox/1",
        "request_id": "the-request-1",
        "details": {"changed": ["blocked"], "blocked": True},
    }


@ensureDeferred
async def test_an_account_and_what_it_is_made_with_are_one_entry(app: Application) -> None:
    before = len(log(app))
    await app.has_account("alice", dictionary={"a": "b"})
    entries = log(app)[before:]
    assert [(entry["action"], entry["details"]) for entry in entries] == [
        ("account.created", {"activated": True, "admin": False})
    ]


@ensureDeferred
async def test_changes_are_noted_without_their_secrets(app: Application) -> None:
    alice = await app.has_account("alice", email="alice@example.org")
    before = len(log(app))
    path = f"/api/accounts/{alice['id']}"
    change = {"username": "alice", "password": "another_password", "email": "new@example.org", "activated": "1"}
    assert (await app.admin.put(path, change)).status == 200
    await app.admin.post(f"{path}/dictionary/lang", {"value": "a secret of hers"})
    await app.admin.post(f"{path}/external", {"username": "a", "domain": "b.org", "password": "s", "protocol": "UDP"})
    entries = log(app)[before:]
    assert [(entry["action"], entry["details"]) for entry in entries][:3] == [
        ("account.updated", {"changed": ["email"]}),
        ("password.set", {}),
        ("dictionary_entry.created", {"key": "lang"}),
    ]
    assert entries[-1]["action"] == "external_account.created"
    written = str(entries)
    for secret in ("another_password", "new@example.org", "a secret of hers", *_hashes(app)):
        assert secret not in written


def _hashes(app: Application) -> list[str]:
    return [
        row["password"]
        for row in app.sql("SELECT password FROM passwords UNION SELECT password FROM external_accounts")
    ]


@ensureDeferred
async def test_what_goes_with_an_account_is_part_of_its_deletion(app: Application) -> None:
    alice = await app.has_account("alice", dictionary={"a": "b"})
    app.key_of(alice)
    before = len(log(app))
    await app.admin.delete(f"/api/accounts/{alice['id']}")
    assert [entry["action"] for entry in log(app)[before:]] == ["account.deleted"]
    assert last(app)["account"] == f"alice@{TENANT}"


@ensureDeferred
async def test_the_log_outlives_a_space_whose_accounts_go_with_it(app: Application) -> None:
    await app.has_account("alice")
    before = len(log(app))
    assert (await app.super_admin.delete(f"/api/spaces/{TENANT}")).status == 200
    assert [(entry["action"], entry["actor"]) for entry in log(app)[before:]] == [("space.deleted", f"admin@{SUPER}")]


@ensureDeferred
async def test_an_administrator_who_signs_in_is_noted_and_nobody_else(app: Application) -> None:
    await app.has_account("alice")
    await app.chief()
    before = len(log(app))
    await app.signed_in("alice")
    assert len(log(app)) == before
    await app.signed_in("chief")
    assert (last(app)["action"], last(app)["actor"], last(app)["means"], last(app)["ip"]) == (
        "session.created",
        f"chief@{TENANT}",
        "session",
        "127.0.0.1",
    )


@ensureDeferred
async def test_a_form_of_the_portal_is_noted_with_its_session(app: Application) -> None:
    alice = await app.has_account("alice")
    chief = await app.chief()
    await chief.open(f"/admin/accounts/{alice['id']}/edit")
    typed = {"username": "alice", "display_name": "Alice", "role": "user", "activated": "1", "_method": "PUT"}
    reply = await chief.submit(f"/admin/accounts/{alice['id']}", typed)
    assert reply.status == 303, reply.text
    assert (last(app)["action"], last(app)["actor"], last(app)["means"]) == (
        "account.updated",
        f"chief@{TENANT}",
        "session",
    )


@ensureDeferred
async def test_what_is_rolled_back_is_not_noted(app: Application) -> None:
    await app.has_account("alice")
    before = len(log(app))
    assert (await app.admin.post("/api/accounts", {"username": "alice", "password": "a_password"})).status == 422
    assert len(log(app)) == before


@ensureDeferred
async def test_a_repeated_request_is_noted_once(app: Application) -> None:
    keyed = app.admin.as_(idempotency_key="once")
    before = len(log(app))
    for _ in range(2):
        await keyed.post("/api/accounts", {"username": "alice", "password": "a_password"})
    assert [entry["actor"] for entry in log(app)[before:]] == [f"admin@{TENANT}"]


@ensureDeferred
async def test_commands_and_timers_have_names_and_sql_is_told_from_them(app: Application) -> None:
    alice = await app.has_account("alice")
    with acting(Doer("flexid accounts set-admin", "command")):
        await app.services.administrators.promote(alice["id"])
    assert (last(app)["actor"], last(app)["means"]) == ("flexid accounts set-admin", "command")
    app.sql("UPDATE accounts SET blocked = true WHERE id = %s", alice["id"])
    user = app.sql("SELECT session_user AS name")[0]["name"]
    assert (last(app)["actor"], last(app)["means"], last(app)["action"]) == (user, "database", "account.blocked")


@ensureDeferred
async def test_a_name_may_hold_whatever_a_client_calls_itself(app: Application) -> None:
    hostile = "'; DROP TABLE audit_log; -- %s %(id)s \\ \\u0027 {}"
    await app.admin.as_(user_agent=hostile).post("/api/accounts", {"username": "bob", "password": "bob_password"})
    assert last(app)["user_agent"] == hostile
