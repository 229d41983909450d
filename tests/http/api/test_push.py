"""Push notifications, by a program that stands in for Flexisip's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from support.application import TENANT, Application, at_once
from support.pusher import FakePusher
from support.reactor import reactor
from twisted.logger import LogEvent, eventAsText, globalLogPublisher

from flexid.domain.errors import Unavailable
from flexid.outbound import pusher as real
from flexid.outbound.pusher import UNAVAILABLE

DEVICE = {"pn_provider": "fcm", "pn_param": "testproject", "pn_prid": "prid:obqdcpvkju"}
KINDS = ("creation", "recovery")


@pytest.fixture
def pusher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakePusher:
    monkeypatch.setenv("FLEXID_DATABASE_URL", "postgresql://secret")
    pusher = FakePusher(tmp_path)
    pusher.does()
    return pusher


@pytest.fixture
def settings(pusher: FakePusher) -> dict[str, object]:
    return {"pusher": {"path": str(pusher.path), "keysmap": "testproject:AAAA:secret other:BBBB"}}


def _path(kind: str) -> str:
    return f"/api/account_{kind}_tokens/send-by-push"


def _tokens(app: Application, kind: str) -> list[dict[str, Any]]:
    return app.sql(f"SELECT * FROM account_{kind}_tokens")


@pytest.mark.parametrize("kind", KINDS)
@ensureDeferred
async def test_a_token_reaches_a_device_by_push(app: Application, pusher: FakePusher, kind: str) -> None:
    reply = await app.nobody.post(_path(kind), DEVICE)
    assert (reply.status, reply.body) == (200, b"")
    (token,) = _tokens(app, kind)
    assert (token["domain"], token["pn_prid"], token["used"]) == (TENANT, DEVICE["pn_prid"], False)
    payload = json.dumps({"token": token["token"]}, separators=(",", ":"))
    wanted = ["--pn-provider", "fcm", "--pn-param", "testproject", "--pn-prid", DEVICE["pn_prid"]]
    assert pusher.calls() == [[*wanted, "--customPayload", payload, "--key", "AAAA:secret"]]
    assert len(token["token"]) == 13


@pytest.mark.parametrize("kind", KINDS)
@ensureDeferred
async def test_a_token_may_be_used_as_soon_as_the_device_has_it(
    app: Application, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    known: list[int] = []

    async def push(*_: object) -> None:
        known.append(len(_tokens(app, kind)))
        if len(known) == 1:
            raise Unavailable(UNAVAILABLE)

    monkeypatch.setattr(real.FlexisipPusher, "push", push)
    replies = [await app.nobody.post(_path(kind), DEVICE, Idempotency_Key="k") for _ in range(3)]
    assert [reply.status for reply in replies] == [503, 200, 200]
    assert known == [1, 1]


@ensureDeferred
async def test_a_token_by_push_makes_an_account(app: Application, pusher: FakePusher) -> None:
    await app.nobody.post(_path("creation"), DEVICE)
    arguments = pusher.calls()[0]
    token = json.loads(arguments[arguments.index("--customPayload") + 1])["token"]
    body = {"username": "erin", "password": "erin_password", "account_creation_token": token}
    assert (await app.nobody.post("/api/accounts/with-account-creation-token", body)).status == 200
    again = await app.nobody.post(_path("creation"), DEVICE)
    assert again.status == 429
    assert 3590 < int(again.headers["Retry-After"]) <= 3600
    assert (await app.nobody.post(_path("creation"), {**DEVICE, "pn_prid": "another"})).status == 200
    app.sql("UPDATE account_creation_tokens SET updated_at = now() - interval '61 minutes'")
    assert (await app.nobody.post(_path("creation"), DEVICE)).status == 200


@ensureDeferred
async def test_tokens_that_were_not_used_make_nobody_wait(app: Application) -> None:
    for _ in range(3):
        assert (await app.nobody.post(_path("recovery"), DEVICE)).status == 200
    app.sql("UPDATE account_recovery_tokens SET used = true")
    assert (await app.nobody.post(_path("recovery"), DEVICE)).status == 429
    assert (await app.nobody.post(_path("creation"), DEVICE)).status == 200
    assert (await app.browser.post(_path("recovery"), DEVICE)).status == 200


@ensureDeferred
async def test_a_device_without_an_id_is_nobody_in_particular(app: Application, pusher: FakePusher) -> None:
    device = {"pn_provider": "apns.dev", "pn_param": None, "pn_prid": None}
    assert (await app.nobody.post(_path("creation"), device)).status == 200
    app.sql("UPDATE account_creation_tokens SET used = true")
    assert (await app.nobody.post(_path("creation"), device)).status == 200
    assert pusher.calls()[0][:3] == ["--pn-provider", "apns.dev", "--customPayload"]
    assert pusher.calls()[0][-2:] == ["--apple-push-type", "Background"]


@ensureDeferred
async def test_a_project_without_a_key_is_pushed_without_one(app: Application, pusher: FakePusher) -> None:
    assert (await app.nobody.post(_path("creation"), {**DEVICE, "pn_param": "unheard.of_1"})).status == 200
    assert "--key" not in pusher.calls()[0]


@pytest.mark.parametrize("kind", KINDS)
@ensureDeferred
async def test_what_is_wrong_with_a_device_is_all_named(app: Application, pusher: FakePusher, kind: str) -> None:
    reply = await app.nobody.post(_path(kind), {"pn_provider": "wp", "pn_param": "a b", "pn_prid": "@@"})
    assert (reply.status, set(reply.json["errors"])) == (422, {"pn_provider", "pn_param", "pn_prid"})
    assert set((await app.nobody.post(_path(kind), {})).json["errors"]) == {"pn_provider"}
    newline = await app.nobody.post(_path(kind), {**DEVICE, "pn_prid": "a\n", "pn_param": "é"})
    assert set(newline.json["errors"]) == {"pn_prid", "pn_param"}
    assert (pusher.calls(), _tokens(app, kind)) == ([], [])


@pytest.mark.parametrize("kind", KINDS)
@ensureDeferred
async def test_a_token_that_cannot_be_sent_is_none_and_the_log_tells_no_secret(
    app: Application, pusher: FakePusher, kind: str
) -> None:
    said: list[str] = []

    def observer(event: LogEvent) -> None:
        said.append(eventAsText(event, includeTimestamp=False))

    globalLogPublisher.addObserver(observer)  # type: ignore[arg-type]  # any callable is an observer
    pusher.does("print('no route to the provider', *sys.argv); sys.exit(3)")
    reply = await app.nobody.post(_path(kind), DEVICE)
    globalLogPublisher.removeObserver(observer)  # type: ignore[arg-type]  # as above
    assert (reply.status, reply.headers["Retry-After"]) == (503, "1")
    assert _tokens(app, kind) == []
    arguments = pusher.calls()[0]
    token = json.loads(arguments[arguments.index("--customPayload") + 1])["token"]
    log = "\n".join(said)
    assert "ended with 3: no route to the provider" in log
    for secret in (token, DEVICE["pn_prid"], "AAAA:secret"):
        assert secret not in log


@pytest.mark.parametrize("fault", ["missing", "not executable", "killed"])
@ensureDeferred
async def test_a_program_that_does_not_run_is_a_503(app: Application, pusher: FakePusher, fault: str) -> None:
    if fault == "missing":
        pusher.path.unlink()
    elif fault == "not executable":
        pusher.path.chmod(0o644)
    else:
        pusher.does("os.kill(os.getpid(), 9)")
    assert (await app.nobody.post(_path("creation"), DEVICE)).status == 503
    assert _tokens(app, "creation") == []


@ensureDeferred
async def test_a_program_that_hangs_is_killed(
    app: Application, pusher: FakePusher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(real, "SECONDS", 0.5)
    # Its child keeps the pipes open, so that killing the program alone would not end the wait.
    pusher.does("import subprocess; subprocess.Popen(['sleep', '20']); time.sleep(20)")
    began = reactor.seconds()
    assert (await app.nobody.post(_path("creation"), DEVICE)).status == 503
    assert reactor.seconds() - began < 5
    assert _tokens(app, "creation") == []


@ensureDeferred
async def test_so_many_run_at_once_and_too_many_are_refused(
    app: Application, pusher: FakePusher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(real, "LONGEST_QUEUE", 4)
    pusher.does("time.sleep(0.5)")
    devices = [{**DEVICE, "pn_prid": f"device{number}"} for number in range(20)]
    replies = await at_once(*(app.nobody.post(_path("creation"), device) for device in devices))
    assert sorted(reply.status for reply in replies) == [200] * 14 + [503] * 6
    assert len(_tokens(app, "creation")) == 14


@pytest.mark.parametrize("settings", [{}])
@ensureDeferred
async def test_without_a_pusher_there_is_no_push(app: Application) -> None:
    for kind in KINDS:
        assert (await app.nobody.post(_path(kind), DEVICE)).status == 503
        assert (await app.nobody.post(_path(kind), {"pn_provider": "wp"})).status == 422
    user = app.user(await app.has_account("alice"))
    assert (await user.post("/api/push_notification", {**DEVICE, "type": "call"})).status == 503


@pytest.mark.parametrize(
    ("kind", "apple"), [("background", "Background"), ("message", "RemoteWithMutableContent"), ("call", "PushKit")]
)
@ensureDeferred
async def test_a_user_wakes_an_application(app: Application, pusher: FakePusher, kind: str, apple: str) -> None:
    user = app.user(await app.has_account("alice"))
    phone = {"pn_provider": "apns", "pn_param": "ABCD.org.linphone", "pn_prid": "A1:remote"}
    reply = await user.post("/api/push_notification", {**phone, "type": kind, "call_id": "~a-b_c@d.e"})
    assert (reply.status, reply.body) == (200, b"")
    assert (await user.post("/api/push_notification", {**DEVICE, "type": kind, "call_id": None})).status == 200
    target = ["--pn-provider", "apns", "--pn-param", "ABCD.org.linphone", "--pn-prid", "A1:remote"]
    android = ["--pn-provider", "fcm", "--pn-param", "testproject", "--pn-prid", DEVICE["pn_prid"]]
    assert pusher.calls() == [
        [*target, "--call-id", "~a-b_c@d.e", "--apple-push-type", apple],
        [*android, "--key", "AAAA:secret"],
    ]


@ensureDeferred
async def test_all_that_is_wrong_with_a_notification_is_named(app: Application, pusher: FakePusher) -> None:
    user = app.user(await app.has_account("alice"))
    body = {"pn_provider": "x", "pn_param": "-", "pn_prid": ".", "type": "shout", "call_id": "a b"}
    reply = await user.post("/api/push_notification", body)
    assert (reply.status, reply.json["errors"].keys()) == (422, body.keys())
    assert set((await user.post("/api/push_notification", {})).json["errors"]) == {"pn_provider", "type"}
    pusher.does("sys.exit(1)")
    assert (await user.post("/api/push_notification", {**DEVICE, "type": "call"})).status == 503
