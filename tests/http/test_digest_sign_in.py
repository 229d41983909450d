from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
import pytest_twisted
from pytest_twisted import ensureDeferred
from support.application import TENANT, Application, at_once, fill, migrate, start
from support.postgres import Postgres, embedded_binaries
from support.web import Browser, Reply, digest_answer
from twisted.internet import reactor
from twisted.internet.task import deferLater

from flexid.store import nonces

ME = "/api/accounts/me"


def _as(app: Application, username: str, domain: str = TENANT) -> Browser:
    return app.nobody.as_(From=f"sip:{username}@{domain}")


async def _challenge(browser: Browser, path: str = ME) -> str:
    reply = await browser.get(path)
    assert reply.status == 401
    return reply.all("WWW-Authenticate")[0]


async def _sign_in(browser: Browser, username: str, password: str, **answer: Any) -> Reply:
    header = digest_answer(await _challenge(browser), username, password, "GET", ME, **answer)
    return await browser.get(ME, authorization=header)


@ensureDeferred
async def test_who_knows_the_password_gets_in_and_the_challenge_is_repeated(app: Application) -> None:
    account = await app.has_account("alice")
    alice = _as(app, "alice")
    challenge = await _challenge(alice)
    assert challenge.startswith(f'Digest realm="{TENANT}",qop="auth",algorithm=SHA-256,nonce="')
    reply = await alice.get(ME, authorization=digest_answer(challenge, "alice", "alice_password", "GET", ME))
    assert (reply.status, reply.json) == (200, account)
    assert reply.all("WWW-Authenticate") == [challenge]
    again = await alice.get(ME, authorization=digest_answer(challenge, "alice", "alice_password", "GET", ME, nc=2))
    assert again.status == 200


@ensureDeferred
async def test_without_from_there_is_no_challenge(app: Application) -> None:
    reply = await app.nobody.get(ME)
    assert (reply.status, reply.all("WWW-Authenticate")) == (401, [])
    assert "message" in reply.json


@pytest.mark.parametrize(
    "header", ["sip:alice@{0}", "<sip:alice@{0}>;tag=1", '"A" <sip:alice@{0};x=y>', "sip%3Aalice%40{0}"]
)
@ensureDeferred
async def test_from_is_read_in_its_usual_forms(app: Application, header: str) -> None:
    await app.has_account("alice")
    browser = app.nobody.as_(From=header.format(TENANT))
    assert (await _sign_in(browser, "alice", "alice_password")).status == 200


@ensureDeferred
async def test_an_answer_passes_once(app: Application) -> None:
    await app.has_account("alice")
    alice = _as(app, "alice")
    header = digest_answer(await _challenge(alice), "alice", "alice_password", "GET", ME)
    assert (await alice.get(ME, authorization=header)).status == 200
    replayed = await alice.get(ME, authorization=header)
    assert (replayed.status, replayed.json["message"]) == (401, "Nonce replayed")
    assert "stale" not in replayed.all("WWW-Authenticate")[0]


@ensureDeferred
async def test_a_replay_kills_the_nonce(app: Application) -> None:
    await app.has_account("alice")
    alice = _as(app, "alice")
    challenge = await _challenge(alice)
    for nc, status in ((1, 200), (1, 401), (2, 401), (3, 401)):
        header = digest_answer(challenge, "alice", "alice_password", "GET", ME, nc=nc)
        assert (await alice.get(ME, authorization=header)).status == status


@ensureDeferred
async def test_of_a_hundred_answers_with_one_nc_one_passes(app: Application) -> None:
    await app.has_account("alice")
    alice = _as(app, "alice")
    header = digest_answer(await _challenge(alice), "alice", "alice_password", "GET", ME)
    replies = await at_once(*(alice.get(ME, authorization=header) for _ in range(100)))
    assert sorted(reply.status for reply in replies) == [200] + [401] * 99


@ensureDeferred
async def test_anything_wrong_in_an_answer_gets_a_fresh_challenge(app: Application) -> None:
    await app.has_account("alice")
    await app.has_account("bob")
    alice = _as(app, "alice")
    challenge = await _challenge(alice)
    right = digest_answer(challenge, "alice", "alice_password", "GET", ME)
    for wrong in (
        digest_answer(challenge, "alice", "wrong_password", "GET", ME),
        digest_answer(challenge, "alice", "alice_password", "POST", ME),
        digest_answer(challenge, "alice", "alice_password", "GET", ME, uri="/api/ping"),
        digest_answer(challenge, "bob", "bob_password", "GET", ME),
        digest_answer(
            challenge.replace(f'opaque="{challenge[-65:-1]}', 'opaque="ff'), "alice", "alice_password", "GET", ME
        ),
        right.replace("qop=auth", "qop=auth-int"),
        right.replace("algorithm=SHA-256", "algorithm=SHA-256-sess"),
        right.replace("algorithm=SHA-256", "algorithm=MD5"),
        right.replace("nc=00000001", "nc=00000000"),
        right.replace('realm="tenant', 'realm="other'),
        "Digest nonsense",
        "Basic YWxpY2U6YWxpY2VfcGFzc3dvcmQ=",
    ):
        reply = await alice.get(ME, authorization=wrong)
        assert reply.status == 401, wrong
        (fresh,) = reply.all("WWW-Authenticate")
        assert fresh != challenge
    assert (await alice.from_("192.0.2.7").get(ME, authorization=right)).status == 401
    assert (await alice.get(ME, authorization=right)).status == 200


@ensureDeferred
async def test_the_uri_may_carry_the_query(app: Application) -> None:
    await app.has_account("alice")
    alice = _as(app, "alice")
    challenge = await _challenge(alice)
    for nc, uri in ((1, f"{ME}?x=1&y=%20z"), (2, ME)):
        header = digest_answer(challenge, "alice", "alice_password", "GET", ME, nc=nc, uri=uri)
        assert (await alice.get(f"{ME}?x=1&y=%20z", authorization=header)).status == 200
    header = digest_answer(challenge, "alice", "alice_password", "GET", ME, nc=3, uri=f"{ME}?x=2")
    assert (await alice.get(f"{ME}?x=1&y=%20z", authorization=header)).status == 401


@ensureDeferred
async def test_each_stored_hash_has_its_challenge_and_any_may_be_answered(app: Application) -> None:
    account = await app.has_account("alice")
    md5 = "MD5(alice:tenant.example.org:alice_password)"
    app.sql(
        "INSERT INTO passwords (account_id, algorithm, password) VALUES (%s, 'MD5', md5(%s))",
        account["id"],
        md5[4:-1],
    )
    alice = _as(app, "alice")
    reply = await alice.get(ME)
    first, second = reply.all("WWW-Authenticate")
    assert "algorithm=SHA-256," in first
    assert "algorithm=MD5," in second
    header = digest_answer(second, "alice", "alice_password", "GET", ME)
    without = header.replace("algorithm=MD5, ", "")
    assert (await alice.get(ME, authorization=without)).status == 200


@ensureDeferred
async def test_an_old_nonce_is_stale_and_a_used_one_lives_on(app: Application) -> None:
    await app.has_account("alice")
    alice = _as(app, "alice")
    unused, used = await _challenge(alice), await _challenge(alice)
    app.ahead.seconds = 59 * 60
    assert (await alice.get(ME, authorization=digest_answer(used, "alice", "alice_password", "GET", ME))).status == 200
    app.ahead.seconds = 61 * 60
    late = await alice.get(ME, authorization=digest_answer(unused, "alice", "alice_password", "GET", ME))
    assert (late.status, late.all("WWW-Authenticate")[0][-11:]) == (401, ",stale=true")
    wrong = await alice.get(ME, authorization=digest_answer(unused, "alice", "wrong_password", "GET", ME))
    assert "stale" not in wrong.all("WWW-Authenticate")[0]
    header = digest_answer(used, "alice", "alice_password", "GET", ME, nc=2)
    assert (await alice.get(ME, authorization=header)).status == 200


@ensureDeferred
async def test_nothing_tells_which_accounts_exist(app: Application) -> None:
    await app.has_account("alice")
    without = await app.has_account("bare")
    app.sql("DELETE FROM passwords WHERE account_id = %s", without["id"])
    shapes = set()
    for username, domain in (("alice", TENANT), ("nobody", TENANT), ("bare", TENANT), ("alice", "unknown.org")):
        browser = _as(app, username, domain)
        first = await browser.get(ME)
        second = await _sign_in(browser, username, "guessed_password")
        for reply in (first, second):
            (challenge,) = reply.all("WWW-Authenticate")
            names = tuple(part.split("=")[0] + str(len(part)) for part in challenge.split(",")[1:])
            shapes.add((reply.status, names, reply.text, tuple(sorted(reply.headers.keys()))))
    assert len(shapes) == 1


@ensureDeferred
async def test_accounts_sign_in_on_their_own_host_and_super_administrators_anywhere(app: Application) -> None:
    await app.has_account("alice")
    elsewhere = app.browser.as_(From=f"sip:alice@{TENANT}")
    assert (await _sign_in(elsewhere, "alice", "alice_password")).status == 401
    await app.super_admin.post("/api/accounts", {"username": "root", "password": "root_password", "admin": True})
    anywhere = app.nobody.as_(From="sip:root@localhost")
    assert (await _sign_in(anywhere, "root", "root_password")).json["username"] == "root"


@ensureDeferred
async def test_a_blocked_account_is_refused_with_its_challenge_repeated(app: Application) -> None:
    account = await app.has_account("alice")
    await app.admin.post(f"/api/accounts/{account['id']}/block")
    reply = await _sign_in(_as(app, "alice"), "alice", "alice_password")
    assert (reply.status, reply.json) == (403, {"message": "Account blocked"})
    assert len(reply.all("WWW-Authenticate")) == 1


@ensureDeferred
async def test_digest_opens_no_administrators_route(app: Application) -> None:
    await app.has_account("boss", admin=True)
    boss = _as(app, "boss")
    header = digest_answer(await _challenge(boss), "boss", "boss_password", "GET", "/api/accounts")
    assert (await boss.get("/api/accounts", authorization=header)).status == 401


@ensureDeferred
async def test_guessing_is_throttled_for_a_name_whether_it_exists_or_not(app: Application) -> None:
    await app.has_account("alice")
    for username in ("alice", "nobody"):
        browser = _as(app, username)
        statuses = [(await _sign_in(browser, username, "wrong_password")).status for _ in range(10)]
        assert statuses == [401] * 10
        refused = await _sign_in(browser, username, f"{username}_password")
        assert refused.status == 429
        assert 0 < int(refused.headers["Retry-After"]) <= 60
    app.ahead.seconds = 61
    assert (await _sign_in(_as(app, "alice"), "alice", "alice_password")).status == 200


@ensureDeferred
async def test_asking_for_a_challenge_writes_nothing(app: Application) -> None:
    await app.has_account("alice")
    for _ in range(3):
        await _challenge(_as(app, "alice"))
    assert app.sql("SELECT 1 FROM nonces") == []


@pytest_twisted.async_yield_fixture
async def alone() -> AsyncIterator[tuple[Postgres, Application]]:
    """The application on a server of its own, which may be restarted."""
    server = Postgres(embedded_binaries())
    server.start()
    dsn = server.create_database()
    await migrate(dsn)
    fill(dsn)
    application = await start(dsn)
    yield server, application
    await application.database.stop()
    server.remove()


def _crash(app: Application) -> None:
    """Kill a server process of a session: PostgreSQL ends all others, recovers, and goes on."""
    (backend,) = app.sql("SELECT pid FROM pg_stat_activity WHERE application_name = 'flexid' LIMIT 1")
    os.kill(backend["pid"], signal.SIGKILL)


@ensureDeferred
async def test_a_crash_of_the_database_lets_no_answer_pass_again(alone: tuple[Postgres, Application]) -> None:
    _, app = alone
    await app.has_account("alice")
    alice = _as(app, "alice")
    challenge = await _challenge(alice)
    first = digest_answer(challenge, "alice", "alice_password", "GET", ME)
    assert (await alice.get(ME, authorization=first)).status == 200
    _crash(app)
    later = digest_answer(challenge, "alice", "alice_password", "GET", ME, nc=2)
    for passed_before in (first, later):
        # Each connection of the pool hears of the crash when it is used next.
        while (reply := await alice.get(ME, authorization=passed_before)).status == 503:
            await deferLater(reactor, 0.05)
        assert reply.status == 401
    while (reply := await _sign_in(alice, "alice", "alice_password")).status == 503:
        await deferLater(reactor, 0.05)
    assert reply.status == 200


@ensureDeferred
async def test_forgetting_nonces_that_live_lets_no_answer_pass_again(app: Application) -> None:
    await app.has_account("alice")
    alice = _as(app, "alice")
    header = digest_answer(await _challenge(alice), "alice", "alice_password", "GET", ME)
    assert (await alice.get(ME, authorization=header)).status == 200
    assert await app.services.housekeeping.clear_nonces(0) == 1
    assert (await alice.get(ME, authorization=header)).status == 401
    assert (await _sign_in(alice, "alice", "alice_password")).status == 200


@ensureDeferred
async def test_an_answer_judged_before_a_crash_does_not_count_after_it(app: Application) -> None:
    account = await app.has_account("alice")
    await _challenge(_as(app, "alice"))  # the first one begins an epoch
    (row,) = app.sql("SELECT epoch::text FROM nonce_epochs")
    counted = partial(nonces.count, app.database, opaque="o", account_id=account["id"], nc=1, now=datetime.now(UTC))
    assert await counted(epoch="11111111-2222-3333-4444-555555555555") is None
    assert await counted(epoch=row["epoch"]) is not None
    assert await counted(epoch=row["epoch"]) is None
