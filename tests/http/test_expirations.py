"""Administrators hear some days before that their Space expires, once for each number of days."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest
from attrs import evolve
from pytest_twisted import ensureDeferred
from support.application import TENANT, TENANT_HOST, Application, at_once
from support.mail import mails

from flexid.services.expirations import Told

DAY = timedelta(days=1)


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, object]:
    return {"data_dir": tmp_path}


def _expires_in(app: Application, days: int) -> None:
    """Let the tenant expire at the beginning of a day (UTC); nobody has changed it for long."""
    tomorrow = datetime.combine(datetime.now(UTC).date() + DAY, time(), UTC)  # the real one
    app.sql(
        "UPDATE spaces SET expire_at = %s, updated_at = now() - interval '1 year' WHERE domain = %s",
        tomorrow + (days - 1) * DAY,
        TENANT,
    )


def _written(app: Application) -> list[tuple[str, int]]:
    rows = app.sql("SELECT payload FROM outbox WHERE channel = 'mail' ORDER BY id")
    return [(row["payload"]["to"], row["payload"]["values"]["days_left"]) for row in rows]


async def _has_admins(app: Application) -> None:
    await app.has_account("chief", admin=True, email="chief@example.org")
    await app.has_account("deputy", admin=True, email="deputy@example.org")
    await app.has_account("idle", admin=True, email="idle@example.org", activated=False)
    await app.has_account("user", email="user@example.org")


@pytest.mark.parametrize("days", [7, 3, 1])
@ensureDeferred
async def test_administrators_are_told_once_however_often_it_is_looked(app: Application, days: int) -> None:
    await _has_admins(app)
    _expires_in(app, days)
    assert await app.services.expirations.tell() == Told(1, 2)
    for _ in range(3):
        await app.services.expirations.tell_daily()
    assert _written(app) == [("chief@example.org", days), ("deputy@example.org", days)]


@ensureDeferred
async def test_several_who_look_at_once_tell_once(app: Application) -> None:
    await _has_admins(app)
    _expires_in(app, 3)
    told = await at_once(*(app.services.expirations.tell() for _ in range(5)))
    assert sorted(each.spaces for each in told) == [0, 0, 0, 0, 1]


@ensureDeferred
async def test_each_number_of_days_is_told_of_until_it_has_expired(app: Application) -> None:
    await _has_admins(app)
    _expires_in(app, 9)
    heard = []
    for _ in range(12):
        told = await app.services.expirations.tell()
        heard.append(told.mails)
        app.ahead.seconds += DAY.total_seconds()
    assert heard == [0, 0, 2, 0, 0, 0, 2, 0, 2, 0, 0, 0]
    assert [days for _, days in _written(app)] == [7, 7, 3, 3, 1, 1]


@ensureDeferred
async def test_a_day_that_was_missed_is_told_of_later_with_the_days_that_are_left(app: Application) -> None:
    await _has_admins(app)
    _expires_in(app, 5)
    await app.services.expirations.tell()
    assert {days for _, days in _written(app)} == {5}
    assert await app.services.expirations.tell() == Told(0, 0)


@ensureDeferred
async def test_a_day_that_was_over_when_it_was_set_was_not_missed(app: Application) -> None:
    await _has_admins(app)
    _expires_in(app, 5)
    app.sql("UPDATE spaces SET updated_at = now() WHERE domain = %s", TENANT)
    assert await app.services.expirations.tell() == Told(0, 0)


@ensureDeferred
async def test_a_space_that_was_prolonged_is_told_of_again(app: Application) -> None:
    await _has_admins(app)
    _expires_in(app, 3)
    await app.services.expirations.tell()
    _expires_in(app, 40)
    assert await app.services.expirations.tell() == Told(0, 0)
    app.ahead.seconds += 37 * DAY.total_seconds()
    assert await app.services.expirations.tell() == Told(1, 2)


@ensureDeferred
async def test_those_that_never_expire_and_those_that_have_are_left_in_peace(app: Application) -> None:
    await _has_admins(app)
    assert await app.services.expirations.tell([0, 1, 36500]) == Told(0, 0)
    _expires_in(app, 0)
    assert await app.services.expirations.tell([0, 1, 36500]) == Told(0, 0)


@ensureDeferred
async def test_webhooks_hear_of_it_too(app: Application) -> None:
    app.sql(
        "INSERT INTO webhooks (space_id, url, events, secret)"
        " SELECT id, 'https://example.org', '{space.expiring}', 'whsec_' FROM spaces WHERE domain = %s",
        TENANT,
    )
    _expires_in(app, 7)
    await app.services.expirations.tell()
    (row,) = app.sql("SELECT payload FROM outbox WHERE channel = 'webhook'")
    assert row["payload"]["type"] == "space.expiring"
    told = row["payload"]["data"]
    assert (told["domain"], told["days_left"]) == (TENANT, 7)
    assert told["expire_at"].endswith("T00:00:00.000000Z")


@ensureDeferred
async def test_the_mail_says_when_what_and_what_to_do(app: Application, tmp_path: Path) -> None:
    await app.has_account("chief", admin=True, email="chief@example.org")
    _expires_in(app, 3)
    for language in ("en", "fr"):
        app.sql("DELETE FROM space_expiration_notices")
        await evolve(app.services.expirations, language=language).tell()
    await app.services.deliveries.deliver()
    english, french = mails(tmp_path / "mail")
    assert english.subject == "Your Space expires in 3 days"
    assert french.subject == "Votre espace expire dans 3 jours"
    for mail in (english, french):
        assert f"http://{TENANT_HOST}:8080/admin/spaces/{TENANT}" in mail.links
        assert mail.links[0] in mail.html
    assert "Nothing is deleted" in english.text
    assert "Nothing is deleted" in english.html
