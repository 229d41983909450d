"""What happens is logged under names that stay, with the request's id, and without a secret."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from support.application import Application
from twisted.logger import globalLogPublisher

from flexid.base.logs import Lines
from flexid.base.settings import Logging

ROOT = Path(__file__).parent.parent.parent
NAMED = re.compile(r"\bevent ?= ?(.*)")
NAME = re.compile(r'"([a-z_]+\.[a-z_]+)"')


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """What is logged, down to the last detail."""
    stream = io.StringIO()
    observer: Any = Lines(stream, Logging(level="debug", format="json"), on_terminal=False)
    globalLogPublisher.addObserver(observer)
    yield stream
    globalLogPublisher.removeObserver(observer)


def events(stream: io.StringIO) -> list[dict[str, Any]]:
    return [line for text in stream.getvalue().splitlines() if "event" in (line := json.loads(text))]


@ensureDeferred
async def test_what_happens_has_a_name_and_the_id_of_its_request(app: Application, stream: io.StringIO) -> None:
    admin = app.admin.as_(x_request_id="request-1")
    reply = await admin.post("/api/accounts", {"username": "alice", "password": "a_password", "activated": True})
    number = reply.json["id"]
    await admin.post(f"/api/accounts/{number}/block")
    await admin.delete(f"/api/accounts/{number}")
    told = [(line["event"], line["id"], line["request_id"]) for line in events(stream)]
    assert told == [(f"account.{done}", number, "request-1") for done in ("created", "blocked", "deleted")]


@ensureDeferred
async def test_failed_and_throttled_sign_ins_are_told_without_what_was_typed(
    app: Application, stream: io.StringIO
) -> None:
    await app.has_account("alice")
    visitor = app.visitor()
    for _ in range(12):
        await visitor.sign_in("alice", "a wrong s3cret")
    await visitor.sign_in("my s3cret in the wrong field", "x")
    told = [line["event"] for line in events(stream)]
    assert told.count("sign_in.failed") == 11
    assert told.count("session.created") == 0
    assert "s3cret" not in stream.getvalue()


@ensureDeferred
async def test_no_secret_is_ever_logged(app: Application, stream: io.StringIO) -> None:
    alice = await app.has_account("alice", email="alice@example.org")
    chief = await app.chief()
    await chief.open("/admin/api_keys")
    page = await chief.submit("/admin/api_keys", {"name": "a key"})
    key = re.findall(r"\b[A-Za-z0-9]{40}\b", page.text)
    assert key
    await app.user(alice).get("/api/accounts/me")
    await app.nobody.get(f"/provisioning/{alice['provisioning_token']}", x_linphone_provisioning="1")
    await app.admin.post(f"/api/accounts/{alice['id']}/send_reset_password_email")
    await app.services.deliveries.deliver()
    hashes = [row["password"] for row in app.sql("SELECT password FROM passwords")]
    tokens = [row["token"] for row in app.sql("SELECT token FROM reset_password_email_tokens")]
    assert (len(hashes), len(tokens)) == (2, 1)
    secrets = {*key, *hashes, *tokens, alice["provisioning_token"], "alice_password", "chief_password", "key of alice"}
    secrets |= set(chief.cookies.values())
    logged = stream.getvalue()
    assert "session.created" in logged
    assert [secret for secret in secrets if secret in logged] == []


def test_every_name_is_documented_and_no_other() -> None:
    used = {
        name
        for path in (ROOT / "flexid").rglob("*.py")
        for said in NAMED.findall(path.read_text(encoding="utf-8"))
        for name in NAME.findall(said)
    }
    page = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `([a-z_.]+)` \|", page, re.MULTILINE))
    assert used == {name for name in documented if "." in name}
