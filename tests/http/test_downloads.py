"""Voicemails as they are fetched: by whom, in which parts, and with what a browser may make of them."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from support.application import SUPER, Application
from support.neighbours import HOST, has_neighbour
from support.reactor import until
from support.sounds import opus, upload, wav
from twisted.python.failure import Failure

from flexid.http.sending import PIECE

SOUND = wav(20)


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, object]:
    return {"data_dir": tmp_path}


async def _left(
    app: Application,
    content: bytes = SOUND,
    name: str = "hello.wav",
    kind: str = "audio/wav",
    alice: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Return a voicemail that was left for an account, or for a new one."""
    alice = alice or await app.has_account("alice", email="alice@example.org")
    slot = (await app.admin.post(f"/api/accounts/{alice['id']}/voicemails", {"content_type": kind})).json
    reply = await upload(app.admin, slot, content, name)
    assert reply.status == 200, reply.text
    filled: dict[str, Any] = reply.json
    return {**filled, "path": filled["download_url"].removeprefix("http://tenant.localhost")}


@ensureDeferred
async def test_whoever_has_the_link_hears_it(app: Application) -> None:
    path = (await _left(app))["path"]
    reply = await app.nobody.get(path)
    assert (reply.status, reply.body == SOUND) == (200, True)
    told = {name: reply.headers[name] for name in ("Content-Type", "Content-Length", "Accept-Ranges", "Cache-Control")}
    assert told == {
        "Content-Type": "audio/wav",
        "Content-Length": str(len(SOUND)),
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, max-age=3600",
    }
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    # With an origin of its own a browser would not fetch the sound for the page that it makes of it.
    assert reply.headers["Content-Security-Policy"].endswith("; sandbox allow-same-origin")
    assert reply.headers["Content-Disposition"] == "inline; filename=\"hello.wav\"; filename*=UTF-8''hello.wav"
    saved = await app.nobody.get(f"{path}/download")
    assert saved.body == SOUND
    assert saved.headers["Content-Disposition"].startswith("attachment; ")
    head = await app.nobody.ask("HEAD", path)
    assert (head.status, head.body, head.headers["Content-Length"]) == (200, b"", str(len(SOUND)))


@ensureDeferred
async def test_players_seek(app: Application) -> None:
    path, size = (await _left(app))["path"], len(SOUND)
    for wished, start, end in (
        ("bytes=0-", 0, size),
        ("bytes=10-19", 10, 20),
        (f"bytes=100-{size + 5}", 100, size),
        ("bytes=-7", size - 7, size),
        (f"bytes=-{size + 7}", 0, size),
        (f"bytes={size - 1}-", size - 1, size),
    ):
        reply = await app.nobody.get(path, Range=wished)
        assert (reply.status, reply.body == SOUND[start:end]) == (206, True), wished
        assert reply.headers["Content-Range"] == f"bytes {start}-{end - 1}/{size}"
        assert reply.headers["Content-Length"] == str(end - start)
    for beyond in (f"bytes={size}-", "bytes=-0"):
        reply = await app.nobody.get(path, Range=beyond)
        assert (reply.status, reply.body, reply.headers["Content-Range"]) == (416, b"", f"bytes */{size}")
    for odd in ("bytes=9-3", "bytes=0-1,5-6", "bytes=-", "pages=1-2", "bytes=\xff-", f"bytes={'9' * 5000}-"):
        reply = await app.nobody.get(path, Range=odd)
        assert (reply.status, reply.body == SOUND) == (200, True), odd


@ensureDeferred
async def test_a_part_of_another_file_is_not_taken_for_one_of_this(app: Application) -> None:
    path = (await _left(app))["path"]
    tag = (await app.nobody.get(path)).headers["ETag"]
    assert (await app.nobody.get(path, Range="bytes=5-", If_Range=tag)).status == 206
    assert (await app.nobody.get(path, Range="bytes=5-", If_Range='"another"')).status == 200


@ensureDeferred
async def test_nothing_but_the_whole_link_finds_it(app: Application) -> None:
    voicemail = await _left(app)
    path, number = voicemail["path"], voicemail["id"]
    other = "4f7705de-39c1-4f73-8f6e-3f6a0c0d3d6f"
    for wrong in (
        f"/f/{number}/other.wav",
        f"/f/{other}/hello.wav",
        f"/f/{number}/..%2f..%2fhello.wav",
        "/f/..%2f..%2f/hello.wav",
        f"/f/incoming/{number}",
        f"/f/{number}/hello.wav/download/..",
        f"/f/{number}",
        f"{path}%00",
    ):
        assert (await app.nobody.get(wrong)).status == 404, wrong
    await has_neighbour(app)
    assert (await app.nobody.at(HOST).get(path)).status == 404
    assert (await app.nobody.at(SUPER).get(path)).status == 200
    slot = app.sql("INSERT INTO account_files (content_type, name) VALUES ('audio/wav', 'open.wav') RETURNING id")[0]
    assert (await app.nobody.get(f"/f/{slot['id']}/open.wav")).status == 404


@ensureDeferred
async def test_names_do_no_harm(app: Application) -> None:
    alice = await app.has_account("alice", email="alice@example.org")
    for given, kind, name in (
        ("../../../etc/passwd", "audio/wav", "passwd.wav"),
        ("C:\\records\\call.wav", "audio/wav", "call.wav"),
        ("evil.html", "audio/wav", "evil.html.wav"),
        ("a b+c.WAV", "audio/wav", "a b+c.WAV"),
        ("..", "audio/wav", "voicemail.wav"),
        (".wav", "audio/wav", "voicemail.wav"),
        ("<script>%0d%0aSet-Cookie:.wav", "audio/wav", "_script__0d_0aSet-Cookie_.wav"),
        ("répondeur\u202e.wav", "audio/wav", "répondeur_.wav"),
        (f"{'x' * 3000}.wav", "audio/wav", f"{'x' * 100}.wav"),
        ("call.ogg", "audio/opus", "call.ogg"),
        ("call.wav", "audio/opus", "call.wav.opus"),
    ):
        is_wav = kind == "audio/wav"
        voicemail = await _left(app, SOUND if is_wav else opus(), given, kind, alice)
        assert voicemail["name"] == name
        reply = await app.nobody.get(f"{voicemail['path']}/download")
        assert reply.status == 200
        assert reply.headers["Content-Type"] == ("audio/wav" if is_wav else "audio/ogg; codecs=opus")
        assert reply.all("Set-Cookie") == []


@ensureDeferred
async def test_what_is_no_sound_is_never_shown(app: Application) -> None:
    voicemail = await _left(app)
    app.sql("UPDATE account_files SET content_type = 'text/html', name = %s", 'x".html')
    reply = await app.nobody.get(f"/f/{voicemail['id']}/x%22.html")
    assert (reply.status, reply.headers["Content-Type"]) == (200, "application/octet-stream")
    assert reply.headers["Content-Disposition"] == "attachment; filename=\"x_.html\"; filename*=UTF-8''x%22.html"


@ensureDeferred
async def test_a_file_that_is_missing_on_the_disk_is_not_found(app: Application, tmp_path: Path) -> None:
    path = (await _left(app))["path"]
    (file,) = (path for path in (tmp_path / "files").rglob("*") if path.is_file())
    file.unlink()
    assert (await app.nobody.get(path)).status == 404


def _has_heard(transport: Any) -> bool:
    return bool(transport.value().endswith(SOUND))


def _take_one_piece(transport: Any) -> None:
    write = transport.write

    def taken(data: bytes) -> None:
        write(data)
        if transport.value().endswith(SOUND[:PIECE]):
            transport.producer.pauseProducing()

    transport.write = taken


@ensureDeferred
async def test_who_takes_no_more_is_sent_no_more_until_he_does_and_who_hangs_up_nothing(
    app: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = (await _left(app))["path"]
    reads: list[int] = []

    def read(file: Any, most: int) -> bytes:
        reads.append(most)
        return bytes(file.read(most))

    monkeypatch.setattr("flexid.http.sending._read", read)
    for goes_on in (True, False):
        connection: Any = app.nobody.connect()
        transport, protocol = connection
        _take_one_piece(transport)
        reads.clear()
        protocol.dataReceived(f"GET {path} HTTP/1.1\r\nHost: {app.nobody.host}\r\n\r\n".encode())
        await until(lambda: len(reads) == 2)
        assert transport.value().endswith(SOUND[:PIECE])
        if goes_on:
            protocol.channel.resumeProducing()
            await until(partial(_has_heard, transport))
        protocol.connectionLost(Failure(ConnectionAbortedError()))
    assert len(reads) == 2
