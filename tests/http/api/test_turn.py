from __future__ import annotations

import base64
import hashlib
import hmac
import time

import pytest
from pytest_twisted import ensureDeferred
from support.application import Application

from flexid.base.configuration import ConfigurationError, load

PATH = "/api/accounts/me/services/turn"
CONFIGURED = {"turn": {"host": "turn.example.org", "secret": "north", "ttl_minutes": 10}}


@pytest.mark.parametrize("settings", [CONFIGURED])
@ensureDeferred
async def test_the_turn_server_can_work_the_password_out_and_nobody_gets_that_of_another(app: Application) -> None:
    alice = app.user(await app.has_account("alice"))
    app.ahead.seconds = 1000
    before = int(time.time())
    reply = await alice.get(PATH)
    assert reply.status == 200
    answer = reply.json
    assert (set(answer), answer["ttl"], answer["uris"]) == (
        {"username", "password", "ttl", "uris"},
        600,
        ["turn:turn.example.org"],
    )
    expires_at, _, nonce = answer["username"].partition(":")
    assert before + 1600 <= int(expires_at) <= int(time.time()) + 1600
    digest = hmac.new(b"north", answer["username"].encode(), hashlib.sha1).digest()
    assert answer["password"] == base64.b64encode(digest).decode()
    assert "north" not in reply.text
    again = (await alice.get(PATH)).json["username"].partition(":")[2]
    assert nonce
    assert again != nonce


@ensureDeferred
async def test_without_a_turn_server_there_are_no_credentials(app: Application) -> None:
    alice = app.user(await app.has_account("alice"))
    assert (await alice.get(PATH)).status == 404
    assert (await app.nobody.get(PATH)).status == 401


@pytest.mark.parametrize("alone", ["HOST", "SECRET"])
def test_a_turn_server_needs_its_secret(alone: str) -> None:
    with pytest.raises(ConfigurationError, match=r"turn\.host and turn\.secret"):
        load({f"FLEXID_TURN_{alone}": "turn.example.org"})
    both = load({"FLEXID_TURN_HOST": "turn.example.org:3478", "FLEXID_TURN_SECRET": "north"})
    assert both.warnings == ()
    assert (both.settings.turn.host, both.settings.turn.ttl_minutes) == ("turn.example.org:3478", 1440)
    with pytest.raises(ConfigurationError, match=r"FLEXID_TURN_HOST"):
        load({"FLEXID_TURN_HOST": "turn:turn.example.org?transport=tcp", "FLEXID_TURN_SECRET": "north"})
