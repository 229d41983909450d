"""Webhooks in the portal."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
import pytest_twisted
from pytest_twisted import ensureDeferred
from support.application import SUPER, Application
from support.portal import Visitor
from support.receiver import Receiver

PAGE = "/admin/webhooks"
SCRIPT = '"><script>alert(1)</script>'


@pytest.fixture
def settings() -> dict[str, object]:
    return {"outbound": {"allow_private": True, "allow_http": True}}


@pytest_twisted.async_yield_fixture
async def receiver() -> AsyncIterator[Receiver]:
    running = Receiver()
    running.start()
    yield running
    await running.stop()


async def _makes(visitor: Visitor, url: str) -> tuple[str, str]:
    """Return the path of a new webhook, and its secret."""
    await visitor.open(f"{PAGE}/create")
    made = await visitor.submit(PAGE, {"url": url, "account_created": "1", "enabled": "1"})
    assert made.status == 200, made.text
    (path,) = set(re.findall(r'action="(/admin/webhooks/\d+)/test"', made.text))
    (secret,) = re.findall(r">(whsec_[^<]+)</code>", made.text)
    return path, secret


@ensureDeferred
async def test_a_webhook_is_made_shown_changed_and_deleted(app: Application) -> None:
    visitor = await app.chief()
    assert "No webhook yet" in (await visitor.open(PAGE)).text
    path, secret = await _makes(visitor, "https://203.0.113.1/hook")
    shown = await visitor.open(path)
    assert secret not in shown.text
    assert "https://203.0.113.1/hook" in (await visitor.open(PAGE)).text
    form = await visitor.open(f"{path}/edit")
    assert re.findall(r'name="(\w+)" value="1"[^>]* checked', form.text) == ["account_created", "enabled"]
    changes = {"_method": "PUT", "url": "https://203.0.113.1/other", "message_state": "1"}
    reply = await visitor.submit(path, changes)
    assert "The webhook is changed" in (await visitor.follow(reply)).text
    (row,) = app.sql("SELECT url, events, enabled, secret FROM webhooks")
    assert row == {
        "url": "https://203.0.113.1/other",
        "events": ["message.state"],
        "enabled": False,
        "secret": secret,
    }
    assert "https://203.0.113.1/other" in (await visitor.open(f"{path}/delete")).text
    reply = await visitor.submit(path, {"_method": "DELETE"})
    assert "The webhook is deleted" in (await visitor.follow(reply)).text
    assert (await visitor.open(path)).status == 404


@ensureDeferred
async def test_all_that_is_wrong_is_said_and_what_was_typed_stays(app: Application) -> None:
    visitor = await app.chief()
    await visitor.open(f"{PAGE}/create")
    reply = await visitor.submit(PAGE, {"url": f"ftp://{SCRIPT}", "enabled": "1"})
    assert reply.status == 422
    assert "Choose one event at least" in reply.text
    assert "It must be an address such as" in reply.text
    assert SCRIPT not in reply.text
    reply = await visitor.submit(PAGE, {"url": "https://203.0.113.1/"})
    assert (reply.status, "Choose one event at least" in reply.text) == (422, True)
    assert 'value="https://203.0.113.1/"' in reply.text
    assert app.sql("SELECT id FROM webhooks") == []


@ensureDeferred
async def test_a_new_secret_is_shown_once_and_voids_the_old_one(app: Application) -> None:
    visitor = await app.chief()
    path, secret = await _makes(visitor, "https://203.0.113.1/hook")
    await visitor.open(path)
    reply = await visitor.submit(f"{path}/secret")
    (other,) = re.findall(r">(whsec_[^<]+)</code>", reply.text)
    assert other != secret
    assert app.sql("SELECT secret FROM webhooks") == [{"secret": other}]
    assert "whsec_" not in (await visitor.open(path)).text


@ensureDeferred
async def test_a_test_tells_what_came_of_it(app: Application, receiver: Receiver) -> None:
    visitor = await app.chief()
    path, _ = await _makes(visitor, receiver.url)
    reply = await visitor.submit(f"{path}/test")
    assert "The receiver has taken the test" in (await visitor.follow(reply)).text
    receiver.statuses = [500]
    reply = await visitor.submit(f"{path}/test")
    assert "It answered with the status 500" in (await visitor.follow(reply)).text


@ensureDeferred
async def test_what_was_given_up_is_sent_once_more(app: Application, receiver: Receiver) -> None:
    visitor = await app.chief()
    path, _ = await _makes(visitor, receiver.url)
    await app.has_account("alice")
    await app.has_account("bob")
    app.sql("UPDATE outbox SET state = 'dead', last_error = 'It did not answer in time' WHERE channel = 'webhook'")
    shown = await visitor.open(path)
    assert shown.text.count("It did not answer in time") == 2
    assert (
        "Il n\N{RIGHT SINGLE QUOTATION MARK}a pas répondu à temps"
        in (await visitor.open(path, Accept_Language="fr")).text
    )
    await visitor.open(path)
    first = re.findall(rf'action="({path}/deliveries/\d+/retry)"', shown.text)[0]
    reply = await visitor.submit(first)
    assert "The event is sent once more" in (await visitor.follow(reply)).text
    reply = await visitor.submit(f"{path}/deliveries/retry")
    assert "Events that are sent once more: 1" in (await visitor.follow(reply)).text
    await app.services.webhook_deliveries.deliver()
    assert len(receiver.received) == 2
    assert "No delivery here" in (await visitor.open(f"{path}?state=dead")).text
    reply = await visitor.submit(first)
    assert "was delivered already" in (await visitor.follow(reply)).text


@ensureDeferred
async def test_why_a_webhook_is_off_is_said(app: Application) -> None:
    visitor = await app.chief()
    path, _ = await _makes(visitor, "https://203.0.113.1/hook")
    app.sql("UPDATE webhooks SET enabled = false, disabled_at = now(), disabled_because = %s", SCRIPT)
    for page in (PAGE, path):
        shown = await visitor.open(page)
        assert "Switched off by itself" in shown.text
        assert "&lt;script&gt;" in shown.text
        assert SCRIPT not in shown.text


@ensureDeferred
async def test_hostile_urls_and_errors_are_no_markup(app: Application) -> None:
    visitor = await app.chief()
    path, _ = await _makes(visitor, "https://203.0.113.1/hook")
    await app.has_account("alice")
    app.sql("UPDATE webhooks SET url = %s", SCRIPT)
    app.sql("UPDATE outbox SET last_error = %s WHERE webhook_id IS NOT NULL", SCRIPT)
    for page in (PAGE, path, f"{path}/edit", f"{path}/delete"):
        assert SCRIPT not in (await visitor.open(page)).text


@ensureDeferred
async def test_webhooks_of_another_space_are_not_there(app: Application) -> None:
    visitor = await app.chief()
    (row,) = app.sql(
        "INSERT INTO webhooks (space_id, url, events, secret)"
        " SELECT id, 'https://super.example.org/', '{account.created}', 'whsec_' FROM spaces WHERE domain = %s"
        " RETURNING id",
        SUPER,
    )
    assert "super.example.org" not in (await visitor.open(PAGE)).text
    path = f"{PAGE}/{row['id']}"
    for page in (path, f"{path}/edit", f"{path}/delete"):
        assert (await visitor.open(page)).status == 404
    for page in (f"{path}/test", f"{path}/secret", f"{path}/deliveries/retry"):
        assert (await visitor.submit(page)).status == 404
    assert len(app.sql("SELECT id FROM webhooks WHERE secret = 'whsec_'")) == 1
