"""The mail server of a Space, as super administrators set it up on its page, and test mails."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_twisted import ensureDeferred
from support.application import TENANT, Application
from support.mail import mails
from support.portal import Visitor
from support.smtp_server import PASSWORD, USER, SmtpServer, serving

PAGE = f"/admin/spaces/{TENANT}/integration"
XSS = '"><script>alert(1)</script>'


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, object]:
    return {"data_dir": tmp_path}


def _form(smtp: SmtpServer, **changes: str) -> dict[str, str]:
    return {"host": "127.0.0.1", "port": str(smtp.port), **changes}


async def _says(boss: Visitor, to: str = "bob@example.org") -> str:
    await boss.open(PAGE)
    return (await boss.follow(await boss.submit(f"{PAGE}/test", {"to": to}))).text


def _stored(app: Application) -> dict[str, object]:
    (row,) = app.sql("SELECT host, port, username, password, from_name, signature FROM space_email_servers")
    return row


@ensureDeferred
async def test_a_test_mail_shows_what_the_server_says(app: Application) -> None:
    boss = await app.boss()
    with serving(SmtpServer(replies={"nobody@example.org": "550 5.1.1 no <b>such</b> user"})) as smtp:
        await boss.open(PAGE)
        await boss.submit(f"{PAGE}/mail", _form(smtp, from_name="The desk"))
        assert f"127.0.0.1:{smtp.port} has taken the mail: 250 2.0.0 taken as 4711" in await _says(boss)
        assert smtp.received[0].mail.subject == f"Test mail of Space of {TENANT}"
        assert str(smtp.received[0].mail.message["From"]).startswith("The desk <")
        page = await _says(boss, "nobody@example.org")
        assert "The mail was not taken" in page
        assert "550 5.1.1 no &lt;b&gt;such&lt;/b&gt; user" in page
    assert "cannot be reached" in await _says(boss)
    assert app.sql("SELECT 1 FROM outbox") == []


@ensureDeferred
async def test_a_server_that_hangs_is_not_waited_for_longer_than_somebody_waits_before_a_page(
    app: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flexid.services.mail_trials.SECONDS", 0.3)
    boss = await app.boss()
    with serving(SmtpServer(hangs=True)) as smtp:
        await boss.open(PAGE)
        await boss.submit(f"{PAGE}/mail", _form(smtp))
        assert "took more than 0.3 seconds" in await _says(boss)


@ensureDeferred
async def test_without_a_server_a_test_mail_is_written_to_a_file(app: Application, tmp_path: Path) -> None:
    boss = await app.boss()
    assert "There is no mail server. The mail was written to" in await _says(boss)
    (mail,) = mails_of(tmp_path)
    assert mail == f"Test mail of Space of {TENANT}"


def mails_of(folder: Path) -> list[str]:
    for path in (folder / "mail").glob("*-test-*.eml"):
        path.rename(path.with_name("1-1.eml"))
    return [mail.subject for mail in mails(folder / "mail")]


@ensureDeferred
async def test_a_password_that_is_not_typed_again_stays_for_the_same_server_only(app: Application) -> None:
    boss = await app.boss()
    smtp = SmtpServer(port=2525)
    await boss.open(PAGE)
    await boss.submit(f"{PAGE}/mail", _form(smtp, username=USER, password=PASSWORD, signature="a\r\nb"))
    assert (_stored(app)["password"], _stored(app)["signature"]) == (PASSWORD, "a\nb")
    shown = await boss.open(PAGE)
    assert PASSWORD not in shown.text
    await boss.submit(f"{PAGE}/mail", _form(smtp, username=USER, from_name="New"))
    assert (_stored(app)["password"], _stored(app)["from_name"]) == (PASSWORD, "New")
    await boss.submit(f"{PAGE}/mail", _form(smtp, username=USER, host="mail.elsewhere.org"))
    assert _stored(app)["password"] is None


@ensureDeferred
async def test_a_server_is_taken_away_again(app: Application) -> None:
    boss = await app.boss()
    await boss.open(PAGE)
    await boss.submit(f"{PAGE}/mail", _form(SmtpServer(port=2525)))
    await boss.open(PAGE)
    page = await boss.follow(await boss.submit(f"{PAGE}/mail", {"_method": "DELETE"}))
    assert "go the way of all others again" in page.text
    assert app.sql("SELECT 1 FROM space_email_servers") == []


@ensureDeferred
async def test_what_is_wrong_is_named_and_hostile_values_are_shown_as_text(app: Application) -> None:
    boss = await app.boss()
    await boss.open(PAGE)
    wrong = {"host": XSS, "port": "70000", "from_address": XSS, "from_name": XSS, "signature": XSS}
    reply = await boss.submit(f"{PAGE}/mail", wrong)
    assert reply.status == 422
    assert "<script>alert" not in reply.text
    await boss.submit(f"{PAGE}/mail", _form(SmtpServer(port=25), from_name=XSS, signature=XSS, username=XSS))
    assert _stored(app)["signature"] == XSS
    assert "<script>alert" not in (await boss.open(PAGE)).text
    assert (await boss.submit(f"{PAGE}/test", {"to": "a@b.org\nBcc: c@d.org"})).status == 422


@ensureDeferred
async def test_it_is_for_super_administrators_only(app: Application) -> None:
    chief = await app.chief()
    await chief.open("/dashboard")
    assert (await chief.open(PAGE)).status in {403, 404}
    assert (await chief.submit(f"{PAGE}/test", {"to": "a@b.org"})).status in {403, 404}
    assert "integration" not in (await chief.open(f"/admin/spaces/{TENANT}")).text
