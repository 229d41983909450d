"""New passwords for those who have forgotten theirs."""

from __future__ import annotations

import re
import time
from pathlib import Path
from statistics import median

import pytest
from pytest_twisted import ensureDeferred
from support.application import TENANT, Application, at_once
from support.codes import last_code, sent, wrong
from support.mail import mails
from support.portal import Visitor
from support.web import Reply

SCRIPT = '"><script>alert(1)</script>'
NEW = "a better password"
NUMBER = "+33612345678"
CONFIRM, PASSWORD = "/recovery/confirm", "/recovery/password"


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, object]:
    return {"data_dir": tmp_path}


async def _ask(app: Application, email: str = "alice@example.org", visitor: Visitor | None = None) -> Visitor:
    """Return somebody who has asked for a code, once the timer has come round."""
    visitor = visitor or app.visitor()
    await visitor.open("/recovery/email")
    reply = await visitor.submit("/recovery", {"email": email})
    assert (reply.status, reply.headers["Location"]) == (303, CONFIRM), reply.text
    assert await app.services.recovery.answer() == 1
    await visitor.follow(reply)
    return visitor


async def _choose(visitor: Visitor, password: str = NEW, **more: str) -> Reply:
    return await visitor.submit(PASSWORD, {"password": password, "password_confirmation": password, **more})


async def _confirmed(app: Application, email: str = "alice@example.org") -> Visitor:
    visitor = await _ask(app, email)
    reply = await visitor.submit(CONFIRM, {"code": last_code(app)})
    assert (reply.status, reply.headers["Location"]) == (303, PASSWORD)
    assert (await visitor.follow(reply)).status == 200
    return visitor


def _recovery_token(app: Application, token: str = "recovery-token") -> str:
    app.sql(
        "INSERT INTO account_recovery_tokens (domain, token, pn_provider, pn_prid) VALUES (%s, %s, 'fcm', 'x')",
        TENANT,
        token,
    )
    app.sql("UPDATE phone_countries SET activated = true WHERE code = 'FR'")
    return token


def _bare(visitor: Visitor, reply: Reply, *words: str) -> str:
    """Return a page without what differs anyway."""
    text = reply.text.replace(visitor.csrf_token, "")
    for word in words:
        text = text.replace(word, "")
    return text


@ensureDeferred
async def test_a_code_by_mail_lets_somebody_choose_a_new_password_once(app: Application, tmp_path: Path) -> None:
    await app.has_account("alice", email="alice@example.org")
    elsewhere = await app.signed_in("alice")
    visitor = await _ask(app)
    await app.services.deliveries.deliver()
    (mail,) = mails(tmp_path / "mail")
    assert (mail.message["To"], mail.subject) == ("alice@example.org", "Your code for a new password")
    (code,) = re.findall(r"^ {4}(\d{4})$", mail.text, re.MULTILINE)
    assert (f"alice@{TENANT}" in mail.text, code in mail.html, "10 minutes" in mail.text) == (True, True, True)
    reply = await visitor.submit(CONFIRM, {"code": code})
    assert f"alice@{TENANT}" in (await visitor.follow(reply)).text
    reply = await _choose(visitor)
    assert "You can sign in with it now." in (await visitor.follow(reply)).text
    assert "recovery" not in visitor.cookies
    assert (await elsewhere.open("/dashboard")).status == 303
    assert (await app.visitor().sign_in("alice", "alice_password")).status == 422
    assert (await app.visitor().sign_in("alice", NEW)).status == 303


@ensureDeferred
async def test_a_first_password_ends_sessions_too(app: Application) -> None:
    await app.has_account("alice", email="alice@example.org")
    elsewhere = await app.signed_in("alice")
    before = dict(elsewhere.cookies)
    app.sql("CREATE TABLE kept AS SELECT * FROM sessions")
    app.sql("DELETE FROM passwords")
    app.sql("INSERT INTO sessions SELECT * FROM kept")
    elsewhere.cookies = before
    assert (await elsewhere.open("/dashboard")).status == 200
    await _choose(await _confirmed(app))
    assert (await elsewhere.open("/dashboard")).status == 303
    assert (await app.visitor().sign_in("alice", NEW)).status == 303


@ensureDeferred
async def test_a_code_by_sms_needs_a_token_that_an_application_got(app: Application, tmp_path: Path) -> None:
    token = _recovery_token(app)
    alice = await app.has_account("alice", phone=NUMBER)
    visitor = app.visitor()
    page = f"/recovery/phone/{token}?phone="
    assert f'value="{NUMBER}"' in (await visitor.open(f"{page}%2B33612345678")).text
    assert f'value="{NUMBER}"' in (await visitor.open(page + NUMBER)).text
    form = {"account_recovery_token": token, "phone": "+33 6 12 34 56 78"}
    assert (await visitor.submit("/recovery", {**form, "phone": "12"})).status == 422
    reply = await visitor.submit("/recovery", form)
    assert (reply.status, reply.headers["Location"]) == (303, CONFIRM)
    await app.services.recovery.answer()
    await app.services.deliveries.deliver()
    (sms,) = (tmp_path / "sms").iterdir()
    assert re.fullmatch(rf"Your Space of {TENANT} recovery code is \d{{4}}", sms.read_text())
    assert (await visitor.submit(CONFIRM, {"code": sms.read_text()[-4:]})).headers["Location"] == PASSWORD
    assert (await _choose(visitor)).headers["Location"] == "/login"
    assert app.sql("SELECT used, account_id FROM account_recovery_tokens") == [
        {"used": True, "account_id": alice["id"]}
    ]
    assert (await visitor.open(page)).status == 404
    assert (await visitor.submit("/recovery", form)).status == 404
    assert (await visitor.submit("/recovery", {"phone": NUMBER})).status == 422


@ensureDeferred
async def test_a_recovery_token_that_is_none_opens_nothing(app: Application) -> None:
    token = _recovery_token(app)
    visitor = app.visitor()
    assert (await visitor.open("/recovery/phone/unknown")).status == 404
    assert (await app.visitor("localhost").open(f"/recovery/phone/{token}")).status == 404
    app.sql("UPDATE account_recovery_tokens SET created_at = now() - interval '61 minutes'")
    assert (await visitor.open(f"/recovery/phone/{token}")).status == 404
    await visitor.open("/login")
    form = {"account_recovery_token": token, "phone": NUMBER}
    assert (await visitor.submit("/recovery", form)).status == 404
    assert app.sql("SELECT 1 FROM recoveries") == []


@ensureDeferred
async def test_of_a_hundred_uses_of_a_recovery_token_one_succeeds(app: Application) -> None:
    token = _recovery_token(app)
    await app.has_account("alice", phone=NUMBER)
    visitor = app.visitor()
    await visitor.open(f"/recovery/phone/{token}")
    form = {"account_recovery_token": token, "phone": NUMBER}
    others = [Visitor(visitor.browser, dict(visitor.cookies), visitor.csrf_token) for _ in range(100)]
    replies = await at_once(*(other.submit("/recovery", form) for other in others))
    assert sorted(reply.status for reply in replies).count(303) == 1
    assert {reply.status for reply in replies} <= {303, 404, 429}


@ensureDeferred
async def test_an_address_that_nobody_has_is_answered_alike(app: Application) -> None:
    await app.has_account("alice", email="alice@example.org")
    pages: dict[str, list[tuple[int, str]]] = {}
    for address in ("alice@example.org", "nobody@example.org"):
        visitor = app.visitor()
        seen = pages.setdefault(address, [])
        await visitor.open("/recovery/email")
        reply = await visitor.submit("/recovery", {"email": address})
        seen.append((reply.status, reply.headers["Location"]))
        assert await app.services.recovery.answer() == 1
        shown = await visitor.follow(reply)
        seen.append((shown.status, _bare(visitor, shown, address)))
        code = last_code(app)
        for _ in range(4):
            reply = await visitor.submit(CONFIRM, {"code": wrong(code)})
            seen.append((reply.status, _bare(visitor, reply, address)))
        reply = await visitor.open(PASSWORD)
        seen.append((reply.status, _bare(visitor, reply)))
        seen.append(((await visitor.open(CONFIRM)).status, ""))
    assert pages["alice@example.org"] == pages["nobody@example.org"]
    assert [status for status, _ in pages["alice@example.org"]] == [303, 200, 422, 422, 410, 410, 410, 303]
    assert [mail["to"] for mail in sent(app)] == ["alice@example.org"]


@pytest.mark.parametrize("settings", [{"throttling": {"factor": 1000}, "blocking": {"time_period_check": 0}}])
@ensureDeferred
async def test_the_time_of_an_answer_does_not_tell_either(app: Application, asked: list[str]) -> None:
    """Both run the same statements; what is done for an account only is done by a timer afterwards."""
    await app.has_account("alice", email="alice@example.org")
    statements: dict[str, set[tuple[str, ...]]] = {}
    times: dict[str, list[float]] = {}
    visitor = app.visitor()
    await visitor.open("/recovery/email")
    for _ in range(40):
        for address in ("alice@example.org", "nobody@example.org"):
            asked.clear()
            began = time.perf_counter()
            assert (await visitor.submit("/recovery", {"email": address})).status == 303
            times.setdefault(address, []).append(time.perf_counter() - began)
            statements.setdefault(address, set()).add(tuple(asked))
    assert statements["alice@example.org"] == statements["nobody@example.org"]
    assert median(times["alice@example.org"]) == pytest.approx(median(times["nobody@example.org"]), rel=0.5)


@ensureDeferred
async def test_a_code_bears_three_tries(app: Application) -> None:
    await app.has_account("alice", email="alice@example.org")
    visitor = await _ask(app)
    code = last_code(app)
    replies = [await visitor.submit(CONFIRM, {"code": wrong(code)}) for _ in range(3)]
    assert [reply.status for reply in replies] == [422, 422, 410]
    assert "wrong three times" in replies[-1].text
    assert (await visitor.submit(CONFIRM, {"code": code})).status == 410
    visitor = await _ask(app)
    for _ in range(2):
        await visitor.submit(CONFIRM, {"code": wrong(last_code(app))})
    assert (await visitor.submit(CONFIRM, {"code": last_code(app)})).status == 303


@ensureDeferred
async def test_of_a_hundred_uses_of_a_code_one_succeeds(app: Application) -> None:
    await app.has_account("alice", email="alice@example.org")
    visitor = await _ask(app)
    code = last_code(app)
    replies = await at_once(*(visitor.submit(CONFIRM, {"code": code}) for _ in range(100)))
    assert sorted(reply.status for reply in replies) == [303] + [410] * 99
    replies = await at_once(*(_choose(visitor, f"password {number}") for number in range(100)))
    assert sorted(reply.status for reply in replies) == [303] + [410] * 99


@ensureDeferred
async def test_no_more_than_three_of_many_guesses_at_once_are_looked_at(app: Application) -> None:
    await app.has_account("alice", email="alice@example.org")
    visitor = await _ask(app)
    replies = await at_once(*(visitor.submit(CONFIRM, {"code": wrong(last_code(app))}) for _ in range(30)))
    assert {reply.status for reply in replies} <= {410, 422}
    assert app.sql("SELECT attempts FROM recoveries") == [{"attempts": 3}]
    assert (await visitor.submit(CONFIRM, {"code": last_code(app)})).status == 410


@ensureDeferred
async def test_codes_and_what_they_open_grow_old(app: Application) -> None:
    await app.has_account("alice", email="alice@example.org")
    visitor = await _ask(app)
    app.sql("UPDATE recoveries SET created_at = now() - interval '11 minutes'")
    assert (await visitor.submit(CONFIRM, {"code": last_code(app)})).status == 410
    assert (await visitor.open(CONFIRM)).headers["Location"] == "/recovery/email"
    visitor = await _confirmed(app)
    app.sql("UPDATE recoveries SET confirmed_at = now() - interval '11 minutes' WHERE confirmed_at IS NOT NULL")
    assert (await _choose(visitor)).status == 410
    assert (await app.visitor().sign_in("alice", "alice_password")).status == 303
    app.sql("UPDATE recoveries SET created_at = now() - interval '31 days'")
    assert await app.services.housekeeping.clear_recoveries() == 2


@ensureDeferred
async def test_a_later_code_voids_the_one_before(app: Application) -> None:
    await app.has_account("alice", email="alice@example.org")
    first = await _ask(app)
    code = last_code(app)
    app.sql("UPDATE recovery_codes SET code = NULL WHERE code = %s", code)
    second = await _ask(app)
    assert (await first.submit(CONFIRM, {"code": code})).status == 422
    assert (await first.submit(CONFIRM, {"code": last_code(app)})).status == 422
    assert (await second.submit(CONFIRM, {"code": last_code(app)})).status == 303


@ensureDeferred
async def test_somebody_with_several_accounts_chooses_one(app: Application) -> None:
    await app.change("UPDATE spaces SET unique_email = false")
    for name in ("alice", "bell", "other"):
        await app.has_account(name, email="alice@example.org" if name != "other" else "ALICE@example.org")
    visitor = await _ask(app)
    (mail,) = sent(app)
    assert mail["accounts"] == [f"alice@{TENANT}", f"bell@{TENANT}"]
    await visitor.submit(CONFIRM, {"code": last_code(app)})
    shown = await visitor.open(PASSWORD)
    assert re.findall(r'type="radio"[^>]* value="(\w+)"', shown.text) == ["alice", "bell"]
    assert (await _choose(visitor, username="other")).status == 410
    assert (await _choose(visitor, username="bell")).headers["Location"] == "/login"
    assert (await app.visitor().sign_in("bell", NEW)).status == 303
    assert (await app.visitor().sign_in("alice", "alice_password")).status == 303


@ensureDeferred
async def test_who_asks_too_often_gets_403_and_the_account_is_blocked_whoever_that_is(app: Application) -> None:
    alice = await app.has_account("alice", email="alice@example.org")
    outcomes = {}
    for address in ("alice@example.org", "nobody@example.org"):
        visitor = app.visitor()
        for _ in range(5):
            await _ask(app, address, visitor)
        await visitor.open("/recovery/email")
        reply = await visitor.submit("/recovery", {"email": address.upper().replace("EXAMPLE.ORG", "example.org")})
        outcomes[address] = (reply.status, _bare(visitor, reply))
        assert await app.services.recovery.answer() == 1
    assert outcomes["alice@example.org"] == outcomes["nobody@example.org"]
    assert outcomes["alice@example.org"][0] == 403
    assert len(sent(app)) == 5
    assert (await app.admin.get(f"/api/accounts/{alice['id']}")).json["blocked"] is True
    app.sql("UPDATE recoveries SET created_at = now() - interval '31 minutes'")
    await _ask(app)
    assert len(sent(app)) == 5


@ensureDeferred
async def test_a_blocked_account_gets_no_new_password(app: Application) -> None:
    alice = await app.has_account("alice", email="alice@example.org")
    visitor = await _confirmed(app)
    await app.admin.post(f"/api/accounts/{alice['id']}/block")
    assert (await _choose(visitor)).status == 410


@ensureDeferred
async def test_codes_to_one_mailbox_and_from_one_client_are_limited(app: Application) -> None:
    app.sql(
        "INSERT INTO throttle_counters SELECT l, s, date_trunc('hour', now()), 50, now() + interval '1 hour' FROM"
        " (VALUES ('mails with codes that an address asks for an hour', '127.0.0.1')) AS t (l, s)"
    )
    visitor = app.visitor()
    await visitor.open("/recovery/email")
    reply = await visitor.submit("/recovery", {"email": "alice@example.org"})
    assert (reply.status, "Retry-After" in reply.headers) == (429, True)
    assert 'value="alice@example.org"' in reply.text
    assert app.sql("SELECT 1 FROM recoveries") == []


@pytest.mark.parametrize("email", ["", "nonsense", SCRIPT, "a@b\r\nBcc: c@d.org", "a" * 300 + "@example.org"])
@ensureDeferred
async def test_what_is_no_address_is_said_and_is_no_markup(app: Application, email: str) -> None:
    visitor = app.visitor()
    await visitor.open("/recovery/email")
    reply = await visitor.submit("/recovery", {"email": email})
    assert (reply.status, 'id="email-error"' in reply.text, SCRIPT in reply.text) == (422, True, False)
    assert app.sql("SELECT 1 FROM recoveries") == []


@ensureDeferred
async def test_a_recovery_goes_on_in_its_own_browser_and_space_only(app: Application) -> None:
    await app.has_account("alice", email="alice@example.org")
    visitor = await _confirmed(app)
    stranger, elsewhere = app.visitor(), app.visitor("localhost")
    elsewhere.cookies["recovery"] = visitor.cookies["recovery"]
    for other in (stranger, elsewhere):
        assert (await other.open(CONFIRM)).headers["Location"] == "/recovery/email"
        assert (await other.open(PASSWORD)).status == 410
        await other.open("/login")
        assert (await _choose(other)).status == 410
    assert visitor.cookies["recovery"] not in str(app.sql("SELECT * FROM recoveries"))


@ensureDeferred
async def test_the_password_obeys_the_rules_and_the_code_is_not_lost_by_a_mistake(app: Application) -> None:
    await app.has_account("alice", email="alice@example.org")
    visitor = await _confirmed(app)
    assert (await visitor.open(CONFIRM)).headers["Location"] == PASSWORD
    assert (await _choose(visitor, "short")).status == 422
    reply = await visitor.submit(PASSWORD, {"password": NEW, "password_confirmation": "another one"})
    assert (reply.status, NEW in reply.text) == (422, False)
    assert (await _choose(visitor)).headers["Location"] == "/login"


@ensureDeferred
async def test_forms_need_their_secret(app: Application) -> None:
    await app.has_account("alice", email="alice@example.org")
    visitor = await _confirmed(app)
    visitor.csrf_token = "0" * 32
    for path, fields in (("/recovery", {"email": "a@b.org"}), (CONFIRM, {"code": "1234"}), (PASSWORD, {})):
        assert (await visitor.submit(path, fields)).status == 403
    assert (await _choose(visitor)).status == 403


@ensureDeferred
async def test_a_space_without_passwords_recovers_none(app: Application) -> None:
    token = _recovery_token(app)
    await app.change("DELETE FROM space_digest_authentication_configurations")
    for path in ("/recovery/email", f"/recovery/phone/{token}"):
        assert (await app.visitor().open(path)).status == 403
    assert "/recovery/email" not in (await app.visitor().open("/login")).text


@ensureDeferred
async def test_nothing_waits_where_nobody_has_asked(app: Application) -> None:
    assert await app.services.recovery.answer() == 0
    assert (await app.visitor().open("/recovery")).headers["Location"] == "/recovery/email"


@ensureDeferred
async def test_an_account_that_waits_for_its_first_code_is_not_recovered(app: Application) -> None:
    visitor = app.visitor()
    await visitor.open("/register/email")
    both = {"email": "erin@example.org", "email_confirmation": "erin@example.org"}
    password = {"password": NEW, "password_confirmation": NEW}
    await visitor.submit("/register/email", {"username": "erin", **both, **password, "terms": "1"})
    before = len(sent(app))
    await _ask(app, "erin@example.org")
    assert len(sent(app)) == before
