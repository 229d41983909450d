"""Every call that Flexisip makes, as it makes it: HTTP/2 on TLS, raw characters in paths, null for what it lacks."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen
from real.accounts import has_account
from real.http2_client import Heard, Http2Connection, connected
from support.certificates import Authority
from support.flexid_process import Caller, free_port, running
from support.pusher import FakePusher

pytestmark = pytest.mark.real

DEVICE = '"<urn:uuid:9f1ed8a6-46b4-4d91-a9b1-6a9c7a8a1d4e>"'
OTHER_DEVICE = '"<urn:uuid:4ad0b6c8-30c9-0042-9d0f-1b5f1c3e7a11>"'
AT = "2026-11-24T10:00:{:02}Z"


@frozen
class Flexisip:
    """Flexisip's one connection, and an administrator who looks at what came of it."""

    connection: Http2Connection
    admin: Caller
    pusher: FakePusher

    def ask(self, method: str, path: str, body: Any = None) -> Heard:
        return self.connection.answer(self.connection.ask(method, path, body, accept="application/json"))


@pytest.fixture(scope="module")
def flexisip() -> Iterator[Flexisip]:
    with tempfile.TemporaryDirectory() as name:
        folder, port, authority, pusher = Path(name), free_port(), Authority(), FakePusher(Path(name))
        folder.chmod(0o755)
        pusher.does()
        authority.server("localhost").write(folder, "server")
        (folder / "authority.pem").write_bytes(authority.own.pem())
        settings = {
            "listen_https": f"tcp:{port}:interface=127.0.0.1",
            "tls_certificate": str(folder / "server.pem"),
            "tls_key": str(folder / "server.key"),
            "pusher_path": str(pusher.path),
        }
        with running(**settings) as flexid:
            admin = flexid.create_admin("flexisip")
            with connected(port, folder / "authority.pem", x_api_key=admin.headers["x-api-key"]) as connection:
                yield Flexisip(connection, admin, pusher)


def test_it_reads_the_domains_that_it_serves(flexisip: Flexisip) -> None:
    spaces = flexisip.ask("GET", "/api/spaces")
    assert (spaces.status, [space["domain"] for space in spaces.json]) == (200, ["localhost"])


def test_it_diverts_calls(flexisip: Flexisip) -> None:
    account = has_account(flexisip.admin, "diverted", activated=True, email="diverted@example.org")
    friend = has_account(flexisip.admin, "friend", activated=True)
    flexisip.admin.post(f"/api/accounts/{account['id']}/contacts/{friend['id']}", {})
    path = f"/api/accounts/{account['id']}/call_forwardings"
    for forwarding in (
        {"type": "busy", "forward_to": "contact", "contact_id": friend["id"], "enabled": False},
        {"type": "no_answer", "forward_to": "voicemail", "enabled": False},
        {"type": "always", "forward_to": "sip_uri", "sip_uri": "sip:desk@example.org", "enabled": True},
    ):
        assert flexisip.admin.post(path, forwarding).status == 201

    resolved = flexisip.ask("GET", "/api/resolve/diverted@localhost")
    searched = flexisip.ask("GET", "/api/accounts/diverted@localhost/search")
    assert (resolved.status, resolved.json["type"], resolved.json["payload"]) == (200, "account", searched.json)
    assert (searched.json["id"], searched.json["sip_uri"]) == (account["id"], "sip:diverted@localhost")
    told = {one["type"]: one for one in searched.json["call_forwardings"]}
    assert told.keys() == {"always", "away", "busy"}
    assert (told["always"]["enabled"], told["always"]["sip_uri"]) == (True, "sip:desk@example.org")
    assert told["busy"]["contact_sip_uri"] == "sip:friend@localhost"
    assert flexisip.ask("GET", "/api/resolve/nobody@localhost").status == 404


def test_it_logs_calls(flexisip: Flexisip) -> None:
    call = {
        "id": "call-1", "sip_call_id": "a.b~c", "from": "alice@localhost", "to": "flexisip@localhost",
        "devices": {DEVICE: None, OTHER_DEVICE: None}, "initiated_at": AT.format(0), "ended_at": None,
        "conference_id": None,
    }  # fmt: skip
    assert flexisip.ask("POST", "/api/statistics/calls", call).status == 200
    devices = "/api/statistics/calls/call-1/devices"
    assert flexisip.ask("PATCH", f"{devices}/{DEVICE}", {"rang_at": AT.format(1)}).status == 201
    for device, state in ((DEVICE, "accepted"), (OTHER_DEVICE, "accepted_elsewhere")):
        ended = {"rang_at": None, "invite_terminated": {"at": AT.format(2), "state": state}}
        assert flexisip.ask("PATCH", f"{devices}/{device}", ended).status == (200 if device == DEVICE else 201)
    assert flexisip.ask("PATCH", "/api/statistics/calls/call-1", {"ended_at": AT.format(9)}).status == 200

    logged = flexisip.admin.get("/api/accounts/me/statistics/calls").json["data"]
    assert [(one["id"], one["ended_at"][:19]) for one in logged] == [("call-1", "2026-11-24T10:00:09")]
    states = {device["device_id"]: device for device in logged[0]["devices"]}
    assert states[DEVICE]["invite_terminated_state"] == "accepted"
    assert states[DEVICE]["rang_at"][:19] == "2026-11-24T10:00:01"
    assert states[OTHER_DEVICE]["invite_terminated_state"] == "accepted_elsewhere"


def test_it_logs_messages(flexisip: Flexisip) -> None:
    message = {
        "id": "message-1", "from": "alice@localhost", "to": {"bob@localhost": {DEVICE: None}}, "sent_at": AT.format(0),
        "encrypted": False, "conference_id": None,
    }  # fmt: skip
    path = "/api/statistics/messages"
    assert flexisip.ask("POST", path, message).status == 200
    assert flexisip.ask("POST", path, message).status == 400
    device = f"{path}/message-1/to/bob@localhost/devices/{DEVICE}"
    assert flexisip.ask("PATCH", device, {"last_status": 503, "received_at": AT.format(1)}).status == 201
    assert flexisip.ask("PATCH", device, {"last_status": 200, "received_at": AT.format(2)}).status == 200
    unknown = f"{path}/message-2/to/bob@localhost/devices/{DEVICE}"
    assert flexisip.ask("PATCH", unknown, {"last_status": 200, "received_at": AT.format(2)}).status == 400


def test_it_has_devices_woken(flexisip: Flexisip) -> None:
    wanted = {"pn_provider": "fcm", "pn_param": "linphone", "pn_prid": "a:b-c", "type": "call", "call_id": None}
    assert flexisip.ask("POST", "/api/push_notification", wanted).status == 200
    assert flexisip.ask("POST", "/api/push_notification", {**wanted, "call_id": "a.b~c@host"}).status == 200
    assert [call[-2:] for call in flexisip.pusher.calls()] == [["--pn-prid", "a:b-c"], ["--call-id", "a.b~c@host"]]
    lacking = {**wanted, "pn_param": None, "pn_prid": None}
    assert flexisip.ask("POST", "/api/push_notification", lacking).status == 200


def test_what_no_server_has_is_not_found_and_the_connection_goes_on(flexisip: Flexisip) -> None:
    conference = {"id": "c1", "created_at": AT.format(0), "ended_at": None, "schedule": None}
    assert flexisip.ask("POST", "/api/statistics/conferences", conference).status == 404
    assert flexisip.ask("GET", "/api/ping").status == 200
