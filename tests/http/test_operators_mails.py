"""Mails of an operator's own, and what becomes of a mail whose template is broken."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_twisted import ensureDeferred
from support.application import TENANT, Application
from support.mail import mails

from flexid.domain.mail import Mail
from flexid.store import outbox

MAIL = Mail("email_validation", "bob@example.org", "en", {"account": "bob@a.org", "code": "4711", "minutes": 10})


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, object]:
    return {"data_dir": tmp_path, "templates_dir": tmp_path / "own"}


def _write(folder: Path, part: str, text: str) -> None:
    path = folder / "own" / part
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


async def _subject(app: Application, folder: Path) -> str:
    await outbox.put(app.database, MAIL.outgoing(TENANT))
    await app.services.deliveries.deliver()
    return mails(folder / "mail")[-1].subject


@ensureDeferred
async def test_templates_are_those_of_the_operator_read_again_when_told_so(app: Application, tmp_path: Path) -> None:
    assert await _subject(app, tmp_path) == "Confirm your email address"
    _write(tmp_path, "mail/email_validation/subject.txt", "Code {{ code }} of {{ space.name }}")
    assert await _subject(app, tmp_path) == "Confirm your email address"
    app.services.forget_templates()
    assert await _subject(app, tmp_path) == f"Code 4711 of Space of {TENANT}"
    _write(tmp_path, "mail/email_validation/subject.txt", "{{ broken")
    app.services.forget_templates()
    assert await _subject(app, tmp_path) == "Confirm your email address"


@ensureDeferred
async def test_pages_are_those_of_the_operator_too(app: Application, tmp_path: Path) -> None:
    visitor = app.visitor()
    assert "Sign in" in (await visitor.open("/login")).text
    _write(tmp_path, "login/page.html", "<p>Welcome home</p>")
    app.services.forget_templates()
    assert (await visitor.open("/login")).text == "<p>Welcome home</p>"
    _write(tmp_path, "login/page.html", "{{ nobody.home }}")
    app.services.forget_templates()
    assert "Sign in" in (await visitor.open("/login")).text
