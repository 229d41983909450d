"""What requests put into the outbox reaches files, once the timer has come round."""

from __future__ import annotations

import stat
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import define, evolve, field
from pytest_twisted import ensureDeferred
from support.application import SUPER, TENANT, Application, at_once
from support.mail import mails
from support.reactor import until
from support.smtp_server import SmtpServer, serving
from twisted.logger import LogEvent, eventAsText, globalLogPublisher

from flexid.domain.mail import Letter, Mail
from flexid.domain.mail_server import MailServer
from flexid.domain.outbox import Doubtful, Undelivered
from flexid.domain.sms import CodeSms, ShortMessage
from flexid.services.deliveries import MOST_ATTEMPTS, OWN_AT_ONCE, Deliveries
from flexid.store import outbox
from flexid.store.deliveries import claim, claim_mails

MAIL = Mail("email_validation", "bob@example.org", "en", {"account": "bob@a.org", "code": "4711", "minutes": 10})
SMS = CodeSms("+33612320692", "validation", "4712", 10)


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, object]:
    return {"data_dir": tmp_path}


@define
class Refusing:
    """A mail server that takes nothing, and says why."""

    error: Exception
    seen: list[Letter] = field(factory=list)

    def destination(self, _: MailServer | None) -> str | None:
        return None

    async def send(self, letter: Letter, *_: object) -> str:
        self.seen.append(letter)
        raise self.error


def _refusing(app: Application, error: Exception) -> tuple[Deliveries, Refusing]:
    server = Refusing(error)
    deliveries = app.services.deliveries
    return evolve(deliveries, outside=evolve(deliveries.outside, mail=server)), server


@define
class _Provider:
    """An SMS provider that fails."""

    error: Exception
    seen: list[ShortMessage] = field(factory=list)

    async def send(self, message: ShortMessage) -> None:
        self.seen.append(message)
        raise self.error


async def _has_own_server(app: Application, domain: str = TENANT, **server: str | int) -> None:
    assert (await app.super_admin.post(f"/api/spaces/{domain}/email", server)).status == 201


def _rows(app: Application) -> list[dict[str, Any]]:
    return app.sql(
        "SELECT state, attempts, payload, last_error, next_attempt_at - now() AS wait FROM outbox ORDER BY id"
    )


@ensureDeferred
async def test_mails_and_sms_go_into_files_that_only_we_read(app: Application, tmp_path: Path) -> None:
    await outbox.put(app.database, MAIL.outgoing(TENANT))
    await outbox.put(app.database, SMS.outgoing(TENANT))
    assert await app.services.deliveries.deliver() == 2
    (mail,) = mails(tmp_path / "mail")
    assert (mail.message["To"], "4711" in mail.text, "4711" in mail.html) == ("bob@example.org", True, True)
    assert mail.message["From"] == f'"Space of {TENANT}" <no-reply@{TENANT}>'
    assert mail.text.rstrip().endswith(f"-- \nSpace of {TENANT}")
    (sms,) = (tmp_path / "sms").iterdir()
    assert sms.name.endswith("-+33612320692.txt")
    assert sms.read_text() == f"Your Space of {TENANT} validation code is 4712. The code is available for 10 minutes"
    for path in (sms, *(tmp_path / "mail").iterdir()):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert await app.services.deliveries.deliver() == 0


@ensureDeferred
async def test_the_record_of_what_was_delivered_holds_no_code(app: Application) -> None:
    await outbox.put(app.database, MAIL.outgoing(TENANT))
    await outbox.put(app.database, SMS.outgoing(TENANT))
    await app.services.deliveries.deliver()
    rows = _rows(app)
    assert [(row["state"], row["attempts"]) for row in rows] == [("sent", 1)] * 2
    assert "471" not in str([row["payload"] for row in rows])
    assert rows[0]["payload"]["to"] == "bob@example.org"
    app.sql("UPDATE outbox SET sent_at = now() - interval '29 days' WHERE channel = 'mail'")
    assert await app.services.deliveries.clear() == 0
    app.sql("UPDATE outbox SET sent_at = now() - interval '31 days' WHERE channel = 'mail'")
    assert await app.services.deliveries.clear() == 1


@ensureDeferred
async def test_what_is_not_taken_is_tried_again_ever_more_seldom_until_it_is(app: Application, tmp_path: Path) -> None:
    await outbox.put(app.database, MAIL.outgoing(TENANT))
    failing, server = _refusing(app, Undelivered("the server is away"))
    waits = []
    for _ in range(3):
        assert await failing.deliver() == 1
        assert await failing.deliver() == 0
        (row,) = _rows(app)
        waits.append(row["wait"].total_seconds())
        app.sql("UPDATE outbox SET next_attempt_at = now()")
    assert (row["state"], row["attempts"], row["last_error"]) == ("waiting", 3, "the server is away")
    assert 20 < waits[0] <= 30 < waits[1] <= 60 < waits[2] <= 120
    assert len({letter.reference for letter in server.seen}) == 1
    assert await app.services.deliveries.deliver() == 1
    assert len(mails(tmp_path / "mail")) == 1
    assert _rows(app)[0]["state"] == "sent"


@ensureDeferred
async def test_what_is_never_taken_is_given_up(app: Application) -> None:
    await outbox.put(app.database, MAIL.outgoing(TENANT))
    app.sql("UPDATE outbox SET attempts = %s", MOST_ATTEMPTS - 1)
    failing, _ = _refusing(app, Undelivered("no such user"))
    await failing.deliver()
    assert _rows(app)[0]["state"] == "dead"
    app.sql("UPDATE outbox SET next_attempt_at = now()")
    assert await failing.deliver() == 0


@ensureDeferred
async def test_what_fails_holds_up_nothing_else_and_tells_no_code_to_the_log(app: Application, tmp_path: Path) -> None:
    for mail in (evolve(MAIL, name="no_such_mail"), MAIL):
        await outbox.put(app.database, mail.outgoing(TENANT))
    failing, _ = _refusing(app, ValueError("4711 is no code"))
    said: list[str] = []

    def observer(event: LogEvent) -> None:
        said.append(eventAsText(event, includeTimestamp=False))

    globalLogPublisher.addObserver(observer)  # type: ignore[arg-type]  # any callable is an observer
    await failing.deliver()
    app.sql("UPDATE outbox SET next_attempt_at = now()")
    assert await app.services.deliveries.deliver() == 2
    globalLogPublisher.removeObserver(observer)  # type: ignore[arg-type]  # as above
    assert [row["state"] for row in _rows(app)] == ["waiting", "sent"]
    assert [row["last_error"] for row in _rows(app)] == ["TemplateNotFound", None]
    assert len(mails(tmp_path / "mail")) == 1
    assert "was not delivered" in str(said)
    assert "4711" not in str(said)


@ensureDeferred
async def test_what_a_process_that_died_had_begun_is_delivered_later(app: Application) -> None:
    await outbox.put(app.database, MAIL.outgoing(TENANT))
    app.sql("UPDATE outbox SET attempts = 1, next_attempt_at = now() + interval '30 seconds'")
    assert await app.services.deliveries.deliver() == 0
    app.sql("UPDATE outbox SET next_attempt_at = now()")
    assert await app.services.deliveries.deliver() == 1


@ensureDeferred
async def test_two_who_deliver_at_once_deliver_each_thing_once(app: Application, tmp_path: Path) -> None:
    for _ in range(30):
        await outbox.put(app.database, MAIL.outgoing(TENANT))
    counts = await at_once(*(app.services.deliveries.deliver() for _ in range(3)))
    assert sum(counts) == 30
    assert len(mails(tmp_path / "mail")) == 30
    assert {row["attempts"] for row in _rows(app)} == {1}


@ensureDeferred
async def test_a_full_disk_is_a_reason_to_wait(app: Application, tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("in the way")
    await outbox.put(app.database, MAIL.outgoing(TENANT))
    await app.services.deliveries.deliver()
    (row,) = _rows(app)
    assert (row["state"], "File exists" in row["last_error"]) == ("waiting", True)


@ensureDeferred
async def test_what_belongs_to_other_channels_stays(app: Application) -> None:
    app.sql("INSERT INTO outbox (channel, payload) VALUES ('b2bua', '{}')")
    assert await app.services.deliveries.deliver() == 0


@ensureDeferred
async def test_a_space_signs_its_mails_and_says_from_whom_they_come(app: Application) -> None:
    with serving(SmtpServer()) as smtp:
        named = {"from_name": "Bäckerei, Süd", "signature": "The bakers\n& friends"}
        await _has_own_server(app, host="127.0.0.1", port=smtp.port, from_address="desk@example.org", **named)
        await outbox.put(app.database, MAIL.outgoing(TENANT))
        await app.services.deliveries.deliver()
    (received,) = smtp.received
    assert received.sender == "desk@example.org"
    assert received.mail.message["From"] == '"Bäckerei, Süd" <desk@example.org>'
    assert "-- \nThe bakers\n& friends" in received.mail.text
    assert "The bakers\n&amp; friends" in received.mail.html
    assert received.raw.isascii()


@ensureDeferred
async def test_a_mail_that_is_refused_for_good_is_given_up_at_once(app: Application) -> None:
    with serving(SmtpServer(replies={"bob@example.org": "550 5.1.1 no such user"})) as smtp:
        await _has_own_server(app, host="127.0.0.1", port=smtp.port)
        await outbox.put(app.database, MAIL.outgoing(TENANT))
        deliveries = app.services.deliveries
        assert await deliveries.deliver() == 1
    (row,) = _rows(app)
    assert (row["state"], row["attempts"]) == ("dead", 1)
    assert row["last_error"] == f"127.0.0.1:{smtp.port} said: 550 5.1.1 no such user"
    assert deliveries.outcomes == {("mail", "refused"): 1}


@ensureDeferred
async def test_a_server_that_hangs_holds_up_neither_others_nor_sms(app: Application, tmp_path: Path) -> None:
    other = {"name": "Other", "domain": "other.example.org", "host": "other.localhost"}
    assert (await app.super_admin.post("/api/spaces", other)).status == 201
    with serving(SmtpServer(hangs=True)) as hanging, serving(SmtpServer()) as well:
        await _has_own_server(app, host="127.0.0.1", port=hanging.port)
        await _has_own_server(app, "other.example.org", host="127.0.0.1", port=well.port)
        for domain in (TENANT, "other.example.org", SUPER):
            for _ in range(6):
                await outbox.put(app.database, MAIL.outgoing(domain))
        await outbox.put(app.database, SMS.outgoing(TENANT))
        deliveries = app.services.deliveries
        await deliveries.begin()
        await until(lambda: len(well.received) == len(mails(tmp_path / "mail")) == 6)
        await until(lambda: (tmp_path / "sms").is_dir() and hanging.most_at_once == OWN_AT_ONCE)
        assert await deliveries.begin() == 0
        assert len(hanging.attempts) == OWN_AT_ONCE
        hanging.stop()
        await deliveries.finish()
    assert [row["state"] for row in _rows(app)].count("sent") == 13


@ensureDeferred
async def test_a_server_that_is_away_is_left_alone_and_what_waits_keeps_its_attempts(app: Application) -> None:
    with serving(SmtpServer()) as smtp:
        await _has_own_server(app, host="127.0.0.1", port=smtp.port)
        smtp.stop()
        for _ in range(10):
            await outbox.put(app.database, MAIL.outgoing(TENANT))
        deliveries = app.services.deliveries
        assert await deliveries.deliver() == OWN_AT_ONCE
        assert await deliveries.deliver() == 0
        app.ahead.seconds = 2.1
        assert await deliveries.deliver() == 1
        app.ahead.seconds += 2.1
        assert await deliveries.deliver() == 0
        assert sorted(row["attempts"] for row in _rows(app)) == [0] * 5 + [1] * 5
        smtp.start()
        app.ahead.seconds += 2
        app.sql("UPDATE outbox SET next_attempt_at = now()")
        assert await deliveries.deliver() == 10
        assert len(smtp.received) == 10


@ensureDeferred
async def test_a_space_with_very_many_mails_does_not_keep_the_others_waiting(app: Application) -> None:
    for _ in range(30):
        await outbox.put(app.database, MAIL.outgoing(TENANT))
    await outbox.put(app.database, MAIL.outgoing(SUPER))
    claimed = await claim_mails(app.database, timedelta(seconds=60), 10, 4, own=False)
    assert [due.domain for due in claimed].count(SUPER) == 1
    assert [due.domain for due in claimed].count(TENANT) == 4


@ensureDeferred
async def test_what_a_process_had_begun_that_died_is_due_at_once_for_the_next_one(
    app: Application, tmp_path: Path
) -> None:
    await outbox.put(app.database, MAIL.outgoing(TENANT))
    await claim_mails(app.database, timedelta(seconds=60), 10, 4, own=False)
    next_one = evolve(app.services.deliveries)
    assert await next_one.deliver() == 1
    assert len(mails(tmp_path / "mail")) == 1
    await outbox.put(app.database, MAIL.outgoing(TENANT))
    await claim_mails(app.database, timedelta(seconds=60), 10, 4, own=False)
    assert await next_one.deliver() == 0


@ensureDeferred
async def test_an_sms_that_may_have_been_taken_is_sent_once_more_and_no_third_time(app: Application) -> None:
    await outbox.put(app.database, SMS.outgoing(TENANT))
    provider = _Provider(Doubtful("no answer came"))
    deliveries = app.services.deliveries
    failing = evolve(deliveries, outside=evolve(deliveries.outside, sms=provider))
    for _ in range(5):
        await failing.deliver()
        app.sql("UPDATE outbox SET next_attempt_at = now()")
    assert len(provider.seen) == 2
    assert _rows(app)[0]["state"] == "dead"
    assert failing.outcomes == {("sms", "failed"): 1, ("sms", "dead"): 1}


@ensureDeferred
async def test_an_sms_that_was_surely_not_taken_is_tried_until_its_code_expires(app: Application) -> None:
    await outbox.put(app.database, SMS.outgoing(TENANT))
    provider = _Provider(Undelivered("the provider is away"))
    deliveries = app.services.deliveries
    failing = evolve(deliveries, outside=evolve(deliveries.outside, sms=provider))
    for _ in range(4):
        await failing.deliver()
        app.sql("UPDATE outbox SET next_attempt_at = now()")
    assert (len(provider.seen), _rows(app)[0]["state"]) == (4, "waiting")
    app.ahead.seconds = 601
    await failing.deliver()
    assert (len(provider.seen), _rows(app)[0]["state"]) == (4, "dead")


@ensureDeferred
async def test_an_sms_whose_sender_died_twice_is_not_sent_a_third_time(app: Application) -> None:
    await outbox.put(app.database, SMS.outgoing(TENANT))
    deliveries = app.services.deliveries
    for _ in range(2):
        assert len(await claim(app.database, ("sms",), 10)) == 1
        app.sql("UPDATE outbox SET next_attempt_at = now()")
    assert await claim(app.database, ("sms",), 10) == []
    assert await evolve(deliveries).deliver() == 0
    assert _rows(app)[0]["state"] == "dead"


@ensureDeferred
async def test_what_could_not_be_delivered_is_forgotten_after_a_month(app: Application) -> None:
    await outbox.put(app.database, MAIL.outgoing(TENANT))
    app.sql("UPDATE outbox SET state = 'dead'")
    assert await app.services.deliveries.clear() == 0
    app.sql("UPDATE outbox SET created_at = now() - interval '31 days'")
    assert await app.services.deliveries.clear() == 1


@ensureDeferred
async def test_a_space_whose_name_holds_a_line_break_begins_no_header(app: Application, tmp_path: Path) -> None:
    await app.change("UPDATE spaces SET name = E'Evil\\r\\nBcc: x@example.org' WHERE domain = %s", TENANT)
    await outbox.put(
        app.database, evolve(MAIL, name="provisioning", values={"account": "a", "link": "b"}).outgoing(TENANT)
    )
    await app.services.deliveries.deliver()
    (mail,) = mails(tmp_path / "mail")
    assert mail.message["Bcc"] is None
    assert mail.subject == "Welcome to Evil Bcc: x@example.org"
