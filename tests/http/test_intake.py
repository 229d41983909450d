"""Bodies that go to disk as they come."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from attrs import define, field
from pytest_twisted import ensureDeferred
from support.application import Application
from support.reactor import until
from support.sounds import form, wav
from twisted.internet import defer
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from flexid.domain.errors import DomainError, Malformed, NotFound, TooLarge
from flexid.http.intake import AT_ONCE, LONGEST_SECONDS, Intake, Received

MAX_SIZE = 10 * AT_ONCE


@define
class Sender:
    """A request that is told to wait, and to go on."""

    content_type: str
    told: list[str] = field(factory=list)

    @property
    def is_paused(self) -> bool:
        return self.told[-1:] == ["wait"]

    def header(self, name: str) -> str:
        assert name == "content-type"
        return self.content_type

    def pause_reading(self) -> None:
        assert not self.is_paused
        self.told.append("wait")

    def resume_reading(self) -> None:
        assert self.is_paused
        self.told.append("go on")

    def cut_off(self) -> None:
        self.told.append("end")


@define
class Disk:
    """A draft on a disk that takes its time."""

    written: bytes = b""
    is_slow: bool = False
    is_discarded: bool = False
    waiting: list[Deferred[None]] = field(factory=list)

    @property
    def size(self) -> int:
        return len(self.written)

    async def write(self, data: bytes) -> None:
        if self.is_slow:
            self.waiting.append(Deferred())
            await self.waiting[-1]
        self.written += data

    async def discard(self) -> None:
        self.is_discarded = True


@define
class Staged:
    """An intake between a sender and a disk."""

    content: bytes = field(factory=wav)
    refusal: DomainError | None = None
    disk: Disk = field(factory=Disk)
    clock: Clock = field(factory=Clock)
    admitted: list[Deferred[None]] = field(factory=list)
    body: bytes = field(init=False)
    sender: Sender = field(init=False)
    intake: Intake = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.body, content_type = form(self.content)
        self.sender = Sender(content_type)
        self.intake = Intake(self.clock, self.sender, self._begin, MAX_SIZE)

    async def _begin(self) -> Any:
        for waiting in self.admitted:
            await waiting
        if self.refusal:
            raise self.refusal
        return "the call", self.disk

    async def received(self) -> Received:
        self.intake.end()
        return await self.intake.received()


@ensureDeferred
@pytest.mark.parametrize("size", [1, 7, 100, 1 << 20])
async def test_a_file_arrives_whole_however_its_form_is_cut(size: int) -> None:
    staged = Staged()
    for at in range(0, len(staged.body), size):
        staged.intake.take(staged.body[at : at + size])
    received = await staged.received()
    assert (received.admitted, received.name) == ("the call", "hello.wav")
    assert staged.disk.written == wav()
    assert not staged.disk.is_discarded
    assert staged.clock.getDelayedCalls() == []


def test_the_sender_waits_for_the_disk_and_little_is_in_memory_meanwhile() -> None:
    staged = Staged(bytes(5 * AT_ONCE), disk=Disk(is_slow=True))
    staged.intake.take(staged.body[: AT_ONCE - 1])
    (writing,) = staged.disk.waiting
    staged.intake.take(staged.body[AT_ONCE - 1 : AT_ONCE + 100])
    assert staged.sender.told == []
    staged.intake.take(staged.body[AT_ONCE + 100 : 2 * AT_ONCE + 100])
    assert staged.sender.told == ["wait"]
    writing.callback(None)
    assert staged.sender.told == ["wait", "go on"]
    staged.intake.close()


@ensureDeferred
async def test_nothing_is_written_before_the_guards_have_looked() -> None:
    staged = Staged(bytes(2 * AT_ONCE), admitted=[Deferred()])
    staged.intake.take(staged.body[: AT_ONCE + 5])
    assert (staged.sender.is_paused, staged.disk.written) == (True, b"")
    staged.admitted[0].callback(None)
    assert (staged.sender.is_paused, staged.disk.written) == (False, bytes(len(staged.disk.written)))
    staged.intake.take(staged.body[AT_ONCE + 5 :])
    assert (await staged.received()).name == "hello.wav"
    assert staged.disk.size == 2 * AT_ONCE


@ensureDeferred
async def test_what_is_refused_is_thrown_away_and_its_sender_not_held_up() -> None:
    staged = Staged(bytes(5 * AT_ONCE), NotFound())
    for at in range(0, len(staged.body), AT_ONCE):
        staged.intake.take(staged.body[at : at + AT_ONCE])
        assert not staged.sender.is_paused
    with pytest.raises(NotFound):
        await staged.received()
    assert staged.disk.written == b""


@ensureDeferred
async def test_a_form_that_breaks_off_or_holds_too_much_leaves_nothing() -> None:
    broken = Staged()
    broken.intake.take(broken.body[:-5])
    with pytest.raises(Malformed):
        await broken.received()
    assert broken.disk.is_discarded
    large = Staged(bytes(MAX_SIZE + 1))
    large.intake.take(large.body)
    with pytest.raises(TooLarge):
        await large.received()
    assert large.disk.is_discarded


def test_who_hangs_up_leaves_nothing_whether_all_had_come_or_not() -> None:
    for share in (1, 2):
        staged = Staged()
        staged.intake.take(staged.body[: len(staged.body) // share])
        if share == 1:
            staged.intake.end()
        assert staged.disk.written
        staged.intake.close()
        assert staged.disk.is_discarded
        assert staged.clock.getDelayedCalls() == []


def test_what_is_asked_for_is_not_given_up_because_the_client_has_gone() -> None:
    staged = Staged(disk=Disk(is_slow=True))
    staged.intake.take(staged.body)
    asked = defer.ensureDeferred(staged.received())
    staged.intake.close()
    staged.disk.waiting[0].callback(None)
    assert asked.called
    assert not staged.disk.is_discarded


def test_who_never_comes_to_an_end_is_cut_off() -> None:
    staged = Staged()
    staged.intake.take(staged.body[:10])
    staged.clock.advance(LONGEST_SECONDS - 1)
    assert staged.sender.told == []
    staged.clock.advance(1)
    assert staged.sender.told == ["end"]
    staged.intake.close()


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, object]:
    return {"data_dir": tmp_path}


@ensureDeferred
async def test_a_client_that_vanishes_leaves_nothing_on_the_disk_and_its_slot_open(
    app: Application, tmp_path: Path
) -> None:
    alice = await app.has_account("alice", email="alice@example.org")
    slot = (await app.admin.post(f"/api/accounts/{alice['id']}/voicemails", {"content_type": "audio/wav"})).json
    body, kind = form(wav(5))
    head = (
        f"POST /api/files/{slot['id']} HTTP/1.1\r\nHost: {app.admin.host}\r\nContent-Type: {kind}\r\n"
        f"Content-Length: {len(body)}\r\nx-api-key: {app.admin.headers['x-api-key']}\r\n\r\n"
    ).encode()
    drafts = tmp_path / "files" / "incoming"
    _, protocol = app.admin.connect()
    protocol.dataReceived(head + body[:50_000])
    await until(lambda: drafts.is_dir() and any(drafts.iterdir()))
    protocol.connectionLost(Failure(ConnectionAbortedError()))
    await until(lambda: not any(drafts.iterdir()))
    assert app.sql("SELECT uploaded_at FROM account_files") == [{"uploaded_at": None}]


@ensureDeferred
async def test_drafts_of_processes_that_died_are_removed_after_a_day(app: Application, tmp_path: Path) -> None:
    drafts = tmp_path / "files" / "incoming"
    drafts.mkdir(parents=True)
    (drafts / "left").write_bytes(b"RIFF")
    await app.services.files.remove_drafts()
    assert any(drafts.iterdir())
    app.ahead.seconds = 25 * 3600
    await app.services.files.remove_drafts()
    assert not any(drafts.iterdir())
