from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from pytest_twisted import ensureDeferred
from support.application import Application, at_once
from support.mail import mails
from support.neighbours import has_neighbour
from support.sounds import form, opus, upload, wav
from support.web import Browser

from flexid.services.voicemails import MOST_OPEN

OWN = "/api/accounts/me/voicemails"
FROM_BOB = {"sip_from": "sip:bob@sip.example.com", "content_type": "audio/wav"}
MAX_SIZE = 200_000


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, object]:
    return {"data_dir": tmp_path, "limits": {"max_upload_size": MAX_SIZE, "max_body_size": 2000}}


def _files(folder: Path) -> list[Path]:
    """Return all that lies in the folder of uploads."""
    return [path for path in (folder / "files").rglob("*") if path.is_file()]


async def _alice(app: Application, **fields: Any) -> tuple[dict[str, Any], Browser]:
    alice = await app.has_account("alice", email="alice@example.org", **fields)
    return alice, app.user(alice)


@ensureDeferred
async def test_a_slot_is_opened_and_shown_as_it_always_was(app: Application, asked: list[str]) -> None:
    _, own = await _alice(app)
    assert (await own.get(OWN)).json == []
    asked.clear()
    reply = await own.post(OWN, FROM_BOB)
    slot = reply.json
    assert (reply.status, asked) == (201, ["open a slot for a voicemail"])
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", slot["id"])
    shown = {
        **FROM_BOB,
        "id": slot["id"],
        "name": None,
        "size": None,
        "uploaded_at": None,
        "created_at": slot["created_at"],
        "download_url": None,
    }
    upload_url = f"http://tenant.localhost/api/files/{slot['id']}"
    assert slot == {**shown, "upload_url": upload_url, "max_upload_size": MAX_SIZE}
    assert (await own.get(f"{OWN}/{slot['id']}")).json == shown
    assert (await own.get(f"{OWN}/{slot['id'].upper()}")).json == shown
    second = (await own.post(OWN, {"content_type": "audio/opus"})).json
    assert second["sip_from"] is None
    assert [each["id"] for each in (await own.get(OWN)).json] == [second["id"], slot["id"]]


@ensureDeferred
async def test_an_administrator_opens_and_deletes_and_does_not_look(app: Application) -> None:
    alice, own = await _alice(app)
    path = f"/api/accounts/{alice['id']}/voicemails"
    slot = (await app.admin.post(path, FROM_BOB)).json
    assert [each["id"] for each in (await own.get(OWN)).json] == [slot["id"]]
    refused = await app.admin.get(path)
    assert (refused.status, refused.headers["Allow"]) == (405, "POST")
    assert (await app.admin.get(f"{path}/{slot['id']}")).status == 405
    assert (await app.admin.delete(f"{path}/{slot['id']}")).json == 1
    assert (await app.admin.delete(f"{path}/{slot['id']}")).json == 0
    assert (await app.admin.delete("/api/accounts/999999/voicemails/unknown")).status == 404
    assert (await own.get(OWN)).json == []


@ensureDeferred
async def test_all_that_is_wrong_with_a_slot_is_named_at_once(app: Application) -> None:
    _, own = await _alice(app)
    bob = await app.has_account("bob")
    refused = await own.post(OWN, {"content_type": "audio/mp3", "sip_from": "bob"})
    assert (refused.status, refused.json["errors"].keys()) == (422, {"content_type", "sip_from"})
    without_email = app.user(bob)
    refused = await without_email.post(OWN, {"sip_from": "nobody"})
    assert (refused.status, refused.json["errors"].keys()) == (422, {"content_type", "sip_from", "email"})
    refused = await without_email.post(OWN, FROM_BOB)
    assert (refused.status, refused.json["errors"].keys()) == (422, {"email"})
    assert (await app.admin.post(f"/api/accounts/{bob['id']}/voicemails", FROM_BOB)).status == 422
    assert (await app.admin.post("/api/accounts/999999/voicemails", FROM_BOB)).status == 404
    for unknown in ("4f7705de-39c1-4f73-8f6e-3f6a0c0d3d6f", "nonsense"):
        assert (await own.get(f"{OWN}/{unknown}")).status == 404
        assert ((reply := await own.delete(f"{OWN}/{unknown}")).status, reply.json) == (200, 0)


@ensureDeferred
async def test_slots_that_wait_are_bounded_and_a_day_clears_them(app: Application) -> None:
    alice, own = await _alice(app)
    app.sql(
        "INSERT INTO account_files (account_id, content_type) SELECT %s, 'audio/wav' FROM generate_series(1, %s)",
        alice["id"],
        MOST_OPEN,
    )
    refused = await own.post(OWN, FROM_BOB)
    assert (refused.status, refused.headers["Retry-After"]) == (429, "3600")
    app.ahead.seconds = 24 * 3600 + 60
    assert await app.services.files.delete_unfilled() == MOST_OPEN
    assert await app.services.files.remove_deleted() == MOST_OPEN
    assert (await own.post(OWN, FROM_BOB)).status == 201


@ensureDeferred
async def test_an_upload_fills_its_slot_once_and_a_mail_tells_of_it(
    app: Application, tmp_path: Path, asked: list[str]
) -> None:
    alice, own = await _alice(app)
    slot = (await app.admin.post(f"/api/accounts/{alice['id']}/voicemails", FROM_BOB)).json
    asked.clear()
    reply = await upload(app.admin, slot, wav(), "/var/spool/flexisip/voicemail 1.wav")
    assert (reply.status, len(asked)) == (200, 4), asked
    filled = reply.json
    url = f"http://tenant.localhost/f/{slot['id']}/voicemail%201.wav"
    assert filled == {
        **FROM_BOB,
        "id": slot["id"],
        "name": "voicemail 1.wav",
        "size": len(wav()),
        "uploaded_at": filled["uploaded_at"],
        "created_at": slot["created_at"],
        "download_url": url,
    }
    assert (await own.get(OWN)).json == [filled]
    again = await upload(app.admin, slot, wav())
    assert again.status == 404
    (path,) = _files(tmp_path)
    assert path.read_bytes() == wav()
    assert path.stat().st_mode & 0o777 == 0o600
    await app.services.deliveries.deliver()
    (mail,) = mails(tmp_path / "mail")
    assert (mail.message["To"], mail.message["Subject"]) == (
        "alice@example.org",
        "New voicemail from sip:bob@sip.example.com",
    )
    link = f"http://tenant.localhost:8080/f/{slot['id']}/voicemail%201.wav"
    assert link in mail.text
    assert link in mail.html


@ensureDeferred
async def test_of_several_uploads_at_once_exactly_one_fills_the_slot(app: Application, tmp_path: Path) -> None:
    _, own = await _alice(app)
    slot = (await own.post(OWN, FROM_BOB)).json
    sounds = [wav(n / 10) for n in range(1, 9)]
    replies = await at_once(*(upload(app.admin, slot, sound, f"{n}.wav") for n, sound in enumerate(sounds)))
    assert sorted(reply.status for reply in replies) == [200] + [404] * 7
    (winner,) = [n for n, reply in enumerate(replies) if reply.status == 200]
    (path,) = _files(tmp_path)
    assert path.read_bytes() == sounds[winner]
    (voicemail,) = (await own.get(OWN)).json
    assert (voicemail["name"], voicemail["size"]) == (f"{winner}.wav", len(sounds[winner]))
    assert len(app.sql("SELECT id FROM outbox")) == 1


@ensureDeferred
async def test_the_content_has_to_be_of_the_announced_type(app: Application, tmp_path: Path) -> None:
    _, own = await _alice(app)
    for content_type, content in (
        ("audio/wav", opus()),
        ("audio/opus", wav()),
        ("audio/wav", b""),
        ("audio/opus", b"OggS"),
        ("audio/opus", b"OggS\0\2" + bytes(21) + b"\1\1vorbis"),
        ("audio/wav", b"<!DOCTYPE html><script>alert(1)</script>"),
        ("audio/wav", b"RIFF\0\0\0\0WEBP<html>"),
        ("audio/wav", b"\n" + wav()),
    ):
        slot = (await own.post(OWN, {"content_type": content_type})).json
        reply = await upload(app.admin, slot, content)
        assert (reply.status, reply.json["errors"].keys()) == (422, {"file"}), content
        assert (await own.get(f"{OWN}/{slot['id']}")).json["uploaded_at"] is None
    assert _files(tmp_path) == []
    for content_type, content in (("audio/wav", wav()), ("audio/opus", opus())):
        slot = (await own.post(OWN, {"content_type": content_type})).json
        assert (await upload(app.admin, slot, content)).status == 200
    assert len(_files(tmp_path)) == 2


@ensureDeferred
async def test_a_body_without_the_file_is_refused(app: Application, tmp_path: Path) -> None:
    _, own = await _alice(app)
    slot = (await own.post(OWN, FROM_BOB)).json
    path = f"/api/files/{slot['id']}"
    for reply in (
        await app.admin.post(path),
        await app.admin.post(path, {"file": "wav"}),
        await upload(app.admin, slot, wav(), "a.wav", "x", "other"),
        await upload(app.admin, slot, wav(), "", "x"),
    ):
        assert (reply.status, reply.json["errors"].keys()) == (422, {"file"})
    for body, kind in (
        (b"", "multipart/form-data; boundary=x"),
        (b"nonsense", "multipart/form-data; boundary=x"),
        (form(wav())[0], "multipart/form-data"),
        (form(wav())[0][:-10], form(wav())[1]),
    ):
        assert (await app.admin.ask("POST", path, body, Content_Type=kind)).status == 400
    assert _files(tmp_path) == []
    assert (await upload(app.admin, slot, wav())).status == 200


@ensureDeferred
async def test_only_an_administrator_within_reach_uploads_and_nothing_of_others_is_written(
    app: Application, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, own = await _alice(app)
    slot = (await own.post(OWN, FROM_BOB)).json
    neighbour = await has_neighbour(app)
    begun: list[object] = []
    monkeypatch.setattr("flexid.store.file_folder.FileFolder.draft", begun.append)
    for browser, status in (
        (app.nobody, 401),
        (own, 403),
        (app.nobody.as_(x_api_key="wrong"), 401),
        (neighbour.admin, 404),
    ):
        assert (await upload(browser, slot, wav(5))).status == status
    unknown = {"upload_url": "/api/files/4f7705de-39c1-4f73-8f6e-3f6a0c0d3d6f"}
    assert (await upload(app.admin, unknown, wav(5))).status == 404
    assert (await upload(app.admin, {"upload_url": "/api/files/..%2f..%2fetc"}, wav())).status == 404
    assert begun == []
    assert _files(tmp_path) == []


@ensureDeferred
async def test_the_use_of_a_key_for_an_upload_counts_once(app: Application) -> None:
    alice, _ = await _alice(app)
    await app.services.api_keys.flush()
    count = "SELECT sum(requests) AS n FROM api_keys WHERE kind = 'admin'"
    before = app.sql(count)[0]["n"]
    slot = (await app.admin.post(f"/api/accounts/{alice['id']}/voicemails", FROM_BOB)).json
    assert (await upload(app.admin, slot, wav())).status == 200
    await app.services.api_keys.flush()
    assert app.sql(count)[0]["n"] == before + 2


@ensureDeferred
async def test_what_is_too_large_is_refused_whether_its_length_was_said_or_not(
    app: Application, tmp_path: Path
) -> None:
    _, own = await _alice(app)
    slot = (await own.post(OWN, FROM_BOB)).json
    assert (await upload(app.admin, slot, wav() + bytes(MAX_SIZE))).status == 413
    assert (await upload(app.admin, slot, wav() + bytes(1_000_000))).status == 413
    body, kind = form(wav() + bytes(1_000_000))
    chunked = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in _pieces(body)) + b"0\r\n\r\n"
    headers = {"Host": app.admin.host, **app.admin.headers, "Content-Type": kind, "Connection": "close"}
    headers["Transfer-Encoding"] = "chunked"
    assert (await app.admin.send("POST", f"/api/files/{slot['id']}", headers, chunked)).status == 413
    assert _files(tmp_path) == []
    exactly = wav() + bytes(MAX_SIZE - len(wav()))
    assert (await upload(app.admin, slot, exactly)).json["size"] == MAX_SIZE


def _pieces(body: bytes, size: int = 50_000) -> list[bytes]:
    return [body[at : at + size] for at in range(0, len(body), size)]


@ensureDeferred
async def test_files_go_from_the_disk_with_their_slots_and_accounts(app: Application, tmp_path: Path) -> None:
    alice, own = await _alice(app)
    slots = [(await own.post(OWN, FROM_BOB)).json for _ in range(3)]
    for slot in slots:
        assert (await upload(app.admin, slot, wav())).status == 200
    files = app.services.files
    assert await files.remove_deleted() == 0
    assert (await own.delete(f"{OWN}/{slots[0]['id']}")).json == 1
    assert (await own.get(f"{OWN}/{slots[0]['id']}")).status == 404
    assert len(_files(tmp_path)) == 3
    assert await files.remove_deleted() == 1
    assert len(_files(tmp_path)) == 2
    assert (await app.admin.delete(f"/api/accounts/{alice['id']}")).status == 200
    assert await files.remove_deleted() == 2
    assert _files(tmp_path) == []
    assert app.sql("SELECT id FROM account_files") == []


@ensureDeferred
async def test_a_file_that_is_gone_already_is_forgotten_all_the_same(app: Application, tmp_path: Path) -> None:
    _, own = await _alice(app)
    slot = (await own.post(OWN, FROM_BOB)).json
    await upload(app.admin, slot, wav())
    (path,) = _files(tmp_path)
    path.unlink()
    await own.delete(f"{OWN}/{slot['id']}")
    assert await app.services.files.remove_deleted() == 1
    assert app.sql("SELECT id FROM account_files") == []


@pytest.mark.parametrize("minutes", [0, 60])
@ensureDeferred
async def test_files_are_kept_for_as_long_as_the_settings_say(app: Application, minutes: int) -> None:
    _, own = await _alice(app)
    await upload(app.admin, (await own.post(OWN, FROM_BOB)).json, wav())
    files = evolve(app.services.files, lifetime=minutes)
    assert await files.delete_old() == 0
    app.ahead.seconds = 3700
    assert await files.delete_old() == (1 if minutes else 0)
    assert len((await own.get(OWN)).json) == (0 if minutes else 1)


@ensureDeferred
async def test_a_disk_that_takes_nothing_is_told_and_leaves_the_slot_open(
    app: Application, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, own = await _alice(app)
    slot = (await own.post(OWN, FROM_BOB)).json

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    for step in ("flexid.store.file_folder.FileFolder.draft", "flexid.store.file_folder.FileFolder.place"):
        with monkeypatch.context() as patched:
            patched.setattr(step, full)
            reply = await upload(app.admin, slot, wav())
        assert (reply.status, reply.headers["Retry-After"]) == (503, "1")
    for step in ("write", "seal", "head"):
        with monkeypatch.context() as patched:
            patched.setattr(f"flexid.store.file_folder.Draft.{step}", full)
            assert (await upload(app.admin, slot, wav())).status == 503
    assert _files(tmp_path) == []
    assert app.sql("SELECT id FROM outbox") == []
    assert (await upload(app.admin, slot, wav())).status == 200
