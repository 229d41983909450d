from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from commands.conftest import Shell
from pytest_twisted import ensureDeferred
from support import mariadb
from support.application import Application, start
from support.mariadb import MariaDb
from support.postgres import Postgres
from support.upstream import Upstream, Version
from support.web import digest_answer

from flexid.base.settings import Lifetimes
from flexid.commands.command import Outcome, Problem
from flexid.store.upstream import moves
from flexid.store.upstream.moving import Moving
from flexid.store.upstream.source import UpstreamFailed

ORG, OLD = "sip.example.org", "old.example.org"
LEGACY = "legacy.realm"
NOW = "2024-05-01 10:00:00"
FILE = "0f0e0d0c-0b0a-0908-0706-050403020100"
KEY = "k" * 40


def ha1(algorithm: str, username: str, realm: str, password: str) -> str:
    make = hashlib.md5 if algorithm == "MD5" else hashlib.sha256
    return make(f"{username}:{realm}:{password}".encode()).hexdigest()


@pytest.fixture(scope="module")
def maria() -> Iterator[MariaDb]:
    with mariadb.running() as server:
        yield server


@pytest.fixture(params=["mariadb", "postgresql"])
def upstream(request: pytest.FixtureRequest, postgres: Postgres) -> Iterator[Upstream]:
    """An empty database on either server."""
    if request.param == "mariadb":
        found = Upstream.on_mariadb(request.getfixturevalue("maria"))
    else:
        found = Upstream.on_postgresql(postgres.create_database())
    yield found
    found.close()


def add_account(upstream: Upstream, number: int, username: str, /, domain: str = ORG, **fields: Any) -> None:
    values = {"id": number, "username": username, "domain": domain, "created_at": NOW, "activated": True, **fields}
    upstream.add("accounts", ip_address="192.0.2.1", user_agent="Linphone", **values)


def add_password(upstream: Upstream, number: int, account: int, algorithm: str, stored: str) -> None:
    upstream.add("passwords", id=number, account_id=account, password=stored, algorithm=algorithm)


def has_two_spaces(upstream: Upstream) -> None:
    """`sip.example.org` by SHA-256 with everything in it, and `old.example.org` by MD5 with a realm of its own."""
    upstream.create("2.1")
    for number, domain, host, is_super in ((5, ORG, "localhost", True), (6, OLD, "old.localhost", False)):
        upstream.add(
            "spaces", id=number, domain=domain, host=host, name=f"Space {number}", super=is_super, theme_hue=120,
            max_accounts=10, copyright_text="© Été", custom_provisioning_entries="[ui]\nlogo=x\n", created_at=NOW,
            expire_at="2099-01-01 00:00:00",
        )  # fmt: skip
    digests = "space_digest_authentication_configurations"
    upstream.add(digests, id=1, space_id=5, realm=ORG, default_password_algorithm="SHA-256")
    upstream.add(digests, id=2, space_id=6, realm=LEGACY, default_password_algorithm="MD5")
    upstream.add(
        "space_oidc_authentication_configurations", id=1, space_id=6, server_url="https://id.example.org/realms/a",
        realm="a", sip_identifier="sip", client_id="c", client_secret="s",
    )  # fmt: skip
    upstream.add("space_email_servers", id=1, space_id=5, host="mail.example.org", port=587, from_name="Été")
    upstream.add("space_carddav_servers", id=7, space_id=5, enabled=True, uri="https://dav.example.org")
    upstream.add("phone_countries", code="FR", country_code="33", activated=True)
    alice = {"email": "alice@example.org", "phone": "+33612345678", "display_name": "Alizée 🎈"}
    add_account(upstream, 11, "alice", admin=True, **alice)
    add_account(upstream, 12, "bob", email="bob@example.org", dtmf_protocol="rfc2833", blocked=False)
    add_account(upstream, 13, "alice", OLD, activated=False)
    add_password(upstream, 1, 11, "SHA-256", ha1("SHA-256", "alice", ORG, "alice_password"))
    add_password(upstream, 2, 11, "MD5", ha1("MD5", "alice", ORG, "alice_password"))
    add_password(upstream, 3, 12, "SHA-256", ha1("SHA-256", "bob", ORG, "bob_password"))
    add_password(upstream, 4, 13, "MD5", ha1("MD5", "alice", LEGACY, "old_password"))
    upstream.add("api_keys", id=1, account_id=11, key=KEY, last_used_at=NOW, name="scripts", requests=7)
    upstream.add("accounts_tombstones", id=1, username="Gone", domain=ORG, created_at=NOW)
    upstream.add("account_dictionary_entries", id=1, account_id=11, key="lang", value="fr")
    for kind, key in ((1, "phone"), (2, "door")):
        upstream.add("account_types", id=kind, key=key)
    for account, kind in ((11, 1), (12, 1), (13, 1), (12, 2)):
        upstream.add("account_account_type", account_id=account, account_type_id=kind)
    upstream.add("account_actions", id=3, account_id=12, key="open", code="1")
    upstream.add(
        "account_carddav_credentials", username="a", password="0" * 32, realm="r", space_carddav_server_id=7,
        account_id=11,
    )  # fmt: skip
    upstream.add("contacts", account_id=11, contact_id=12)
    upstream.add("contacts_lists", id=4, title="Friends", description="Amis", space_id=5)
    upstream.add("contacts_list_contact", contact_id=11, contacts_list_id=4)
    upstream.add("account_contacts_list", account_id=12, contacts_list_id=4)
    card = "BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Zoë\r\nUID:u1\r\nEND:VCARD\r\n"
    upstream.add("vcards_storage", id=1, uuid="u1", vcard=card, account_id=11)
    upstream.add(
        "account_files", id=FILE, account_id=12, name="a.wav", size=4, content_type="audio/wav", uploaded_at=NOW,
        created_at=NOW,
    )  # fmt: skip
    for forwarding, when in ((6, "always"), (4, "busy")):
        upstream.add(
            "call_forwardings", id=forwarding, account_id=12, type=when, forward_to="contact", contact_id=11,
            enabled=True,
        )  # fmt: skip
    upstream.add(
        "external_accounts", id=9, username="ext", domain="carrier.example", password="f" * 32, account_id=12,
        protocol="TLS",
    )  # fmt: skip
    upstream.add("provisioning_tokens", id=1, account_id=11, token="t" * 13, used=True)
    upstream.add("provisioning_tokens", id=2, account_id=11, token="u" * 13, used=False, created_at=NOW)
    upstream.add("account_creation_tokens", id=1, token="c" * 13, used=True, account_id=12)
    upstream.add("email_change_codes", id=1, account_id=12, code="1234", email="b@example.org", created_at=NOW)
    upstream.add("wizards", token="w" * 8, account_id=11, sip="sip:bob@sip.example.org", linphone_action="call")
    upstream.add(
        "statistics_calls", id="call", from_username="alice", from_domain=ORG, to_username="bob", to_domain=ORG,
        initiated_at=NOW,
    )  # fmt: skip
    upstream.add("statistics_call_devices", id=1, call_id="call", device_id="d", invite_terminated_state="accepted")
    upstream.add("statistics_messages", id="m", from_username="bob", from_domain=ORG, sent_at=NOW, encrypted=True)
    upstream.add(
        "statistics_message_devices", id=1, message_id="m", to_username="alice", to_domain=ORG, device_id="d",
        last_status=200, received_at=NOW,
    )  # fmt: skip
    upstream.add("opaques", id=1, account_id=11, nonce="n", ip="192.0.2.1", opaque="o")


def counts(said: dict[str, Any]) -> dict[str, int]:
    return {line["table"]: line["here"] for line in said["tables"] if line["here"]}


def shown(outcome: Outcome) -> dict[str, Any]:
    assert isinstance(outcome.data, dict)
    return outcome.data


def reasons(said: dict[str, Any], fate: str) -> set[tuple[str, str]]:
    return {(found["table"], " ".join(found["ids"])) for found in said["findings"] if found["fate"] == fate}


async def signs_in(app: Application, host: str, username: str, domain: str, password: str, algorithm: str) -> int:
    """Sign in by Digest, and return the status."""
    browser = app.browser.at(host).as_(From=f"sip:{username}@{domain}")
    asked = (await browser.get("/api/accounts/me")).all("WWW-Authenticate")
    challenge = next(each for each in asked if f"algorithm={algorithm}" in each.replace('"', ""))
    answer = digest_answer(challenge, username, password, "GET", "/api/accounts/me")
    return (await browser.get("/api/accounts/me", authorization=answer)).status


@ensureDeferred
async def test_a_dry_run_tells_what_would_move_and_moves_nothing(shell: Shell, upstream: Upstream) -> None:
    has_two_spaces(upstream)
    said = await shell.type("import-upstream", upstream.url, "--dry-run")
    assert (said["version"], said["moved"], said["complete"]) == ("2.1", False, True)
    assert counts(said)["accounts"] == 3
    assert shell.sql("SELECT (SELECT count(*) FROM accounts), (SELECT count(*) FROM spaces)") == [(0, 0)]


@ensureDeferred
async def test_a_whole_database_moves_and_everybody_signs_in_as_before(shell: Shell, upstream: Upstream) -> None:
    has_two_spaces(upstream)
    said = await shell.type("import-upstream", upstream.url, "--yes")
    assert (said["moved"], said["complete"], said["unknown_tables"]) == (True, True, {})
    assert counts(said) == {
        "spaces": 2, "space_digest_authentication_configurations": 2, "space_oidc_authentication_configurations": 1,
        "space_email_servers": 1, "space_carddav_servers": 1, "phone_countries": 1, "accounts": 3, "passwords": 4,
        "api_keys": 1, "accounts_tombstones": 1, "account_dictionary_entries": 1, "account_types": 2,
        "account_account_type": 4, "account_actions": 1, "account_carddav_credentials": 1, "contacts": 1,
        "contacts_lists": 1, "contacts_list_contact": 1, "account_contacts_list": 1, "vcards_storage": 1,
        "account_files": 1, "call_forwardings": 2, "external_accounts": 1, "account_creation_tokens": 1,
        "provisioning_tokens": 1, "wizards": 1, "statistics_calls": 1, "statistics_call_devices": 1,
        "statistics_messages": 1, "statistics_message_devices": 1,
    }  # fmt: skip
    assert reasons(said, "mended") == {("call_forwardings", "4")}
    assert reasons(said, "left out") == {("provisioning_tokens", "1"), ("email_change_codes", "1")}
    app = await start(shell.dsn)
    try:
        assert await signs_in(app, "localhost", "alice", ORG, "alice_password", "SHA-256") == 200
        assert await signs_in(app, "localhost", "alice", ORG, "alice_password", "MD5") == 200
        assert await signs_in(app, "localhost", "bob", ORG, "bob_password", "SHA-256") == 200
        assert await signs_in(app, "localhost", "bob", ORG, "wrong_password", "SHA-256") == 401
        admin = app.browser.as_(x_api_key=KEY)
        alice = (await admin.get("/api/accounts/11")).json
        bob = (await admin.get("/api/accounts/12")).json
        space = (await admin.get(f"/api/spaces/{OLD}")).json
    finally:
        await app.database.stop()
    assert alice["display_name"] == "Alizée 🎈"
    assert alice["created_at"] == "2024-05-01T10:00:00.000000Z"
    assert (alice["dictionary"], alice["provisioning_token"]) == ({"lang": "fr"}, "u" * 13)
    assert {kind["key"] for kind in bob["types"]} == {"door", "phone"}
    assert [(action["key"], action["code"]) for action in bob["actions"]] == [("open", "1")]
    assert (space["copyright_text"], space["theme_hue"], space["max_accounts"]) == ("© Été", 120, 10)
    assert space["digest_authentication_configuration"]["realm"] == LEGACY
    types = "SELECT s.domain, t.key FROM account_types t JOIN spaces s ON s.id = t.space_id ORDER BY 1, 2"
    assert shell.sql(types) == [(OLD, "phone"), (ORG, "door"), (ORG, "phone")]
    assert shell.sql("SELECT action, domain, actor, details FROM audit_log ORDER BY domain") == [
        ("space.moved", OLD, "flexid import-upstream", {"accounts": 1}),
        ("space.moved", ORG, "flexid import-upstream", {"accounts": 2}),
    ]
    assert {name for (name,) in shell.sql(f"SELECT name FROM account_names WHERE domain = '{ORG}'")} == {
        "alice", "bob", "gone", "+33612345678"
    }  # fmt: skip
    shell.sql(f"INSERT INTO accounts (username, domain) VALUES ('new', '{ORG}')")
    assert shell.sql("SELECT count(*) FROM account_names WHERE name = 'new'") == [(1,)]
    assert shell.sql("SELECT id FROM accounts WHERE username = 'new'") == [(14,)]


@ensureDeferred
async def test_once_more_it_replaces_what_it_moved_and_keeps_what_was_made_here(
    shell: Shell, upstream: Upstream
) -> None:
    has_two_spaces(upstream)
    await shell.type("import-upstream", upstream.url, "--yes")
    shell.sql(f"INSERT INTO accounts (username, domain, email) VALUES ('ours', '{ORG}', 'ours@example.org')")
    shell.sql("INSERT INTO account_dictionary_entries (account_id, key, value) VALUES (11, 'ours', 'kept')")
    shell.sql("UPDATE accounts SET display_name = 'changed here' WHERE id = 12")
    # Names change hands, somebody is deleted, somebody is new, and a password is another one.
    for statement in (
        "UPDATE accounts SET username = 'robert' WHERE id = 12",
        "UPDATE accounts SET username = 'bob', email = 'bob@example.org' WHERE id = 11",
        "UPDATE accounts SET email = 'alice@example.org' WHERE id = 12",
        "DELETE FROM accounts WHERE id = 13",
        "UPDATE passwords SET password = '" + "a" * 64 + "' WHERE id = 3",
    ):
        upstream.run(statement)
    upstream.add("accounts_tombstones", id=2, username="alice", domain=OLD, created_at=NOW)
    add_account(upstream, 20, "alice")
    said = await shell.type("import-upstream", upstream.url, "--yes")
    assert said["moved"]
    assert shell.sql("SELECT id, username, display_name FROM accounts WHERE username <> 'ours' ORDER BY id") == [
        (11, "bob", "Alizée 🎈"), (12, "robert", None), (20, "alice", None)
    ]  # fmt: skip
    assert shell.sql("SELECT key FROM account_dictionary_entries ORDER BY key") == [("lang",), ("ours",)]
    assert shell.sql("SELECT password FROM passwords WHERE account_id = 12") == [("a" * 64,)]
    assert shell.sql(f"SELECT name, kind FROM account_names WHERE domain = '{OLD}'") == [("alice", "tombstone")]
    assert {name for (name,) in shell.sql(f"SELECT name FROM account_names WHERE domain = '{ORG}'")} == {
        "alice", "bob", "robert", "ours", "gone", "+33612345678"
    }  # fmt: skip
    again = await shell.type("import-upstream", upstream.url, "--yes")
    assert counts(again) == counts(said)


@ensureDeferred
async def test_a_clash_with_what_was_made_here_is_refused_and_named(shell: Shell, upstream: Upstream) -> None:
    has_two_spaces(upstream)
    shell.sql(f"INSERT INTO spaces (domain, host, name) VALUES ('{ORG}', 'localhost', 'Here')")
    shell.sql(f"INSERT INTO accounts (id, username, domain) VALUES (11, 'other', '{ORG}'), (99, 'bob', '{ORG}')")
    outcome = await shell.outcome("import-upstream", upstream.url, "--yes")
    assert outcome.failed
    assert reasons(shown(outcome), "refused") == {("accounts", "11"), ("accounts", "12")}
    assert shell.sql("SELECT count(*) FROM accounts") == [(2,)]
    assert "refused: accounts 12" in outcome.text


@ensureDeferred
async def test_rows_that_ours_forbids_are_named_and_mended(shell: Shell, upstream: Upstream) -> None:
    upstream.create("2.1")
    entries = "[a]\nhide_settings=1\nx=1\nno equals\n"
    upstream.add(
        "spaces",
        id=1,
        domain="SIP.example.org",
        host=ORG,
        name="One",
        custom_provisioning_entries=entries,
        theme_hue=400,
        max_accounts=2,
    )
    add_account(upstream, 1, "Carol", email="carol@example.org", phone="12345")
    add_account(upstream, 2, "dave", email="CAROL@example.org", phone="+33612345678")
    add_account(upstream, 3, "erin", email="nonsense", phone="+33612345678", dtmf_protocol="smoke signals")
    upstream.add("passwords", id=1, account_id=1, password="not hashed", algorithm="CLRTXT")
    upstream.add("passwords", id=2, account_id=77, password="0" * 32, algorithm="MD5")
    upstream.add("passwords", id=3, account_id=2, password="AB" * 16, algorithm="MD5")
    upstream.add("account_types", id=1, key="Front Door")
    upstream.add("account_account_type", account_id=1, account_type_id=1)
    upstream.add(
        "statistics_calls", id="c", from_username="a", from_domain="b", to_username="c", to_domain="d", initiated_at=NOW
    )
    upstream.add("statistics_call_devices", id=1, call_id="c", device_id="d", invite_terminated_state="odd")
    said = await shell.type("import-upstream", upstream.url, "--yes")
    assert said["moved"], said
    assert reasons(said, "left out") == {("passwords", "1"), ("passwords", "2")}
    mended = reasons(said, "mended")
    assert {
        ("accounts", "1"),
        ("accounts", "3"),
        ("spaces", ORG),
        ("spaces", "1"),
        ("account_types", "1"),
        ("statistics_call_devices", "1"),
    } <= mended
    assert shell.sql("SELECT username, email, phone, dtmf_protocol FROM accounts ORDER BY id") == [
        ("carol", "carol@example.org", None, None),
        ("dave", "CAROL@example.org", "+33612345678", None),
        ("erin", None, None, None),
    ]
    assert shell.sql("SELECT unique_email, theme_hue, max_accounts, custom_provisioning_entries FROM spaces") == [
        (False, 360, 3, "[a]\n;hide_settings=1\nx=1\n;no equals\n")
    ]
    assert shell.sql("SELECT key FROM account_types") == [("front_door",)]
    assert shell.sql("SELECT password FROM passwords") == [("ab" * 16,)]


@ensureDeferred
async def test_names_that_differ_in_capitals_only_are_refused(shell: Shell, upstream: Upstream) -> None:
    upstream.create("2.1")
    upstream.add("spaces", id=1, domain=ORG, host=ORG, name="One")
    add_account(upstream, 1, "Carol")
    add_account(upstream, 2, "carol")
    add_account(upstream, 3, "a b")
    outcome = await shell.outcome("import-upstream", upstream.url, "--yes")
    assert reasons(shown(outcome), "refused") == {("accounts", "1 2"), ("accounts", "3")}
    assert shell.sql("SELECT count(*) FROM spaces") == [(0,)]


@pytest.mark.parametrize("version", ["2.0", "before 2.0", "before 1.5"])
@ensureDeferred
async def test_older_versions_move_as_well(shell: Shell, upstream: Upstream, version: Version) -> None:
    upstream.create(version)
    table = "spaces" if version == "2.0" else "sip_domains"
    further = {"host": "localhost", "name": "One"} if version == "2.0" else {}
    upstream.add(table, id=1, domain=ORG, super=True, **further)
    is_old = version == "before 1.5"
    flag: dict[str, Any] = {} if is_old else {"admin": True}
    add_account(upstream, 1, "alice", **flag)
    add_account(upstream, 2, "bob", OLD)
    if is_old:
        upstream.add("admins", id=1, account_id=1)
    add_password(upstream, 1, 1, "MD5", ha1("MD5", "alice", LEGACY, "alice_password"))
    space = {"space_id": 1} if version == "2.0" else {}
    upstream.add("contacts_lists", id=1, title="Friends", **space)
    upstream.add("account_contacts_list", account_id=1, contacts_list_id=1)
    said = await shell.type("import-upstream", upstream.url, "--yes", "--realm", LEGACY, "--algorithm", "MD5")
    assert said["moved"], said
    assert said["version"] == ("1.5 or later, before 2.0" if version == "before 2.0" else version)
    assert "space_oidc_authentication_configurations" in said["absent_tables"]
    assert ("spaces", OLD) in reasons(said, "told")
    assert shell.sql("SELECT admin FROM accounts WHERE id = 1") == [(True,)]
    shell.sql("UPDATE spaces SET host = 'localhost' WHERE domain = 'sip.example.org'")
    app = await start(shell.dsn)
    try:
        assert await signs_in(app, "localhost", "alice", ORG, "alice_password", "MD5") == 200
    finally:
        await app.database.stop()
    placed = """
        SELECT s.domain FROM contacts_lists l JOIN spaces s ON s.id = l.space_id
        JOIN account_contacts_list x ON x.contacts_list_id = l.id
    """
    assert shell.sql(placed) == [(ORG,)]


@ensureDeferred
async def test_times_that_are_none_and_tables_that_nobody_knows(shell: Shell, maria: MariaDb) -> None:
    upstream = Upstream.on_mariadb(maria)
    upstream.create("2.1")
    upstream.add("spaces", id=1, domain=ORG, host=ORG, name="Éire")
    add_account(upstream, 1, "alice", created_at="0000-00-00 00:00:00", updated_at="0000-00-00 00:00:00")
    upstream.run("CREATE TABLE aliases (alias varchar(64)); ")
    upstream.run("INSERT INTO aliases VALUES ('+33612345678')")
    said = await shell.type("import-upstream", upstream.url, "--yes")
    upstream.close()
    assert said["unknown_tables"] == {"aliases": 1}
    assert shell.sql("SELECT created_at::text FROM accounts") == [("1970-01-01 00:00:00+00",)]
    assert shell.sql("SELECT name FROM spaces") == [("Éire",)]


@ensureDeferred
async def test_files_are_copied_where_they_are_found(shell: Shell, upstream: Upstream, tmp_path: Path) -> None:
    has_two_spaces(upstream)
    folder = tmp_path / "theirs" / FILE
    folder.mkdir(parents=True)
    (folder / "a.wav").write_bytes(b"RIFF")
    said = await shell.type("import-upstream", upstream.url, "--yes", "--files", str(tmp_path / "theirs"))
    assert said["files"] == {"count": 1, "missing": []}
    assert (shell.directory / "files" / FILE[:2] / FILE).read_bytes() == b"RIFF"
    (folder / "a.wav").write_bytes(b"cut")
    said = await shell.type("import-upstream", upstream.url, "--yes", "--files", str(tmp_path / "theirs"))
    assert said["files"] == {"count": 0, "missing": [FILE]}


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("mysql://", "must be like mysql://user:password@host/database"),
        ("sqlite:///x", "must be like mysql://user:password@host/database"),
        ("postgresql:///nothing?host=/nowhere", "/nowhere"),
        ("mysql://u@localhost/x?unix_socket=/nowhere", "/nowhere|No such file"),
    ],
)
@ensureDeferred
async def test_what_cannot_be_reached_is_told_in_a_sentence(shell: Shell, url: str, reason: str) -> None:
    with pytest.raises(UpstreamFailed, match=reason):
        await shell.type("import-upstream", url, "--yes")


@ensureDeferred
async def test_another_database_is_refused(shell: Shell, upstream: Upstream) -> None:
    upstream.run("CREATE TABLE accounts (id integer)")
    with pytest.raises(UpstreamFailed, match="no database of Flexisip Account Manager"):
        await shell.type("import-upstream", upstream.url, "--yes")


@ensureDeferred
async def test_nothing_is_moved_without_a_yes(shell: Shell) -> None:
    with pytest.raises(Problem, match="--yes"):
        await shell.type("import-upstream", "mysql://u@h/d")


@pytest.mark.parametrize("during", ["read", "compared", "written"])
def test_an_interruption_leaves_nothing_behind(shell: Shell, upstream: Upstream, during: str) -> None:
    has_two_spaces(upstream)

    def heard(doing: str, done: int, total: int) -> None:
        if doing == during and done == total:
            moving.interrupt()

    values = {**Lifetimes().model_dump(), "root_host": "localhost", "realm": None, "algorithm": "MD5"}
    moving = Moving(upstream.url, shell.dsn, values, heard)
    with pytest.raises(UpstreamFailed, match="interrupted, and nothing was moved"):
        moving.run(dry_run=False)
    assert shell.sql("SELECT (SELECT count(*) FROM accounts), (SELECT count(*) FROM spaces)") == [(0, 0)]


@ensureDeferred
async def test_what_did_not_arrive_as_it_should_takes_all_back(
    shell: Shell, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    has_two_spaces(upstream)
    columns = "account_id, algorithm, password"
    forged = f"INSERT INTO passwords ({columns}) SELECT account_id, algorithm, 'x' FROM up_passwords"
    monkeypatch.setattr(moves, "PASSWORDS", (forged,))
    with pytest.raises(UpstreamFailed, match="nothing was moved: passwords"):
        await shell.type("import-upstream", upstream.url, "--yes")
    assert shell.sql("SELECT count(*) FROM accounts") == [(0,)]
