from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_twisted
from commands.conftest import Shell
from support.fake_daemon import FakeDaemon
from support.reactor import asynchronous, reactor, until

from flexid.base.clock import Clock
from flexid.base.configuration import Configuration
from flexid.base.peer_settings import DaemonSettings
from flexid.base.settings import Settings
from flexid.commands.command import Outcome, Problem, Program
from flexid.commands.main import parse
from flexid.domain.errors import Unavailable
from flexid.services import messages as service
from flexid.services import opening
from flexid.services.message_queue import MessageQueue
from flexid.store.database import Database

BOB = "sip:bob@localhost"


@pytest_twisted.async_yield_fixture
async def queue(spaced_shell: Shell, daemon: FakeDaemon) -> AsyncIterator[MessageQueue]:
    """A flexid that runs, as far as messages are concerned."""
    database, lock = Database(reactor, spaced_shell.dsn, 2), Database(reactor, spaced_shell.dsn, 1)
    settings = DaemonSettings(socket=daemon.socket)
    queue = MessageQueue(reactor, Clock(), database, lock, settings, lambda: 0.5)
    queue.watch()
    await database.start()
    await queue.start()
    await until(lambda: queue.bridge.connected)
    yield queue
    await queue.stop()
    await database.stop()


async def typed(shell: Shell, path: str, *words: str) -> Outcome:
    entry, options = parse(words)
    settings = Settings.model_validate({"database": {"url": shell.dsn}, "daemon": {"socket": path}})
    return await entry.load().run(Program(reactor, Configuration(settings, "defaults"), Clock()), options)


async def examined(shell: Shell, path: str) -> dict[str, Any]:
    """Return what the doctor says of the daemon."""
    outcome = await typed(shell, path, "doctor")
    findings: Any = outcome.data
    assert outcome.failed == any(not finding["well"] for finding in findings)
    (finding,) = [finding for finding in findings if finding["subject"] == "SIP daemon"]
    assert finding["says"] in outcome.text
    return dict(finding)


@asynchronous
async def test_a_message_is_sent_by_the_flexid_that_runs(
    spaced_shell: Shell, daemon: FakeDaemon, queue: MessageQueue
) -> None:
    outcome = await typed(spaced_shell, daemon.socket, "messages", "send", BOB, "hello\nyou")
    assert (outcome.text, outcome.data) == ("Sent: call-1", {"id": "call-1", "state": "in_progress"})
    await typed(spaced_shell, daemon.socket, "messages", "send", "eve@elsewhere.org", "x", "--domain", "localhost")
    assert daemon.messages == ["bob@localhost hello\u2028you", "eve@elsewhere.org x"]
    assert queue.outcomes["sent"] == 2


@asynchronous
async def test_what_cannot_be_sent_is_said(
    spaced_shell: Shell, shell: Shell, daemon: FakeDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "PATIENCE", 0.2)
    with pytest.raises(Problem, match=r"daemon\.socket is empty"):
        await typed(spaced_shell, "", "messages", "send", BOB, "x")
    with pytest.raises(Problem, match="not allowed"):
        await typed(spaced_shell, daemon.socket, "messages", "send", BOB, "\x07")
    with pytest.raises(Problem, match="no Space has the domain"):
        await typed(spaced_shell, daemon.socket, "messages", "send", BOB, "x", "--domain", "h.org")
    with pytest.raises(SystemExit):
        await typed(spaced_shell, daemon.socket, "messages", "send", "tel:1", "x")
    with pytest.raises(Unavailable, match="No process"):
        await typed(spaced_shell, daemon.socket, "messages", "send", BOB, "x")
    waiting = await typed(spaced_shell, daemon.socket, "messages", "send", BOB, "x", "--queue")
    assert waiting.text.startswith("queued: ")
    assert shell.sql("SELECT state FROM messages") == [("queued",)]


@asynchronous
async def test_the_doctor_tells_a_flexid_from_another_client(
    spaced_shell: Shell, daemon: FakeDaemon, queue: MessageQueue
) -> None:
    found = await examined(spaced_shell, daemon.socket)
    assert (found["well"], found["says"].startswith("a flexid is connected")) == (True, True)
    assert queue.bridge.connected
    await queue.stop()
    assert (await examined(spaced_shell, daemon.socket))["says"].startswith("linphone-daemon 5.1.65 answers")
    await until(lambda: daemon.client is None)
    with socket.socket(socket.AF_UNIX) as other:
        other.connect(daemon.socket)
        await until(lambda: daemon.client is not None)
        found = await examined(spaced_shell, daemon.socket)
    assert (found["well"], "another program" in found["says"]) == (False, True)


@asynchronous
async def test_the_doctor_names_what_is_wrong_with_a_socket(spaced_shell: Shell) -> None:
    home = FakeDaemon().home
    missing, dead = home / "missing", home / "dead"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(dead))
    try:
        assert (await examined(spaced_shell, str(missing)))["says"] == f"there is no {missing}"
        found = await examined(spaced_shell, str(dead))
        assert (found["says"], found["advice"]) == (
            f"nobody listens at {dead}",
            "linphone-daemon has crashed or was killed: start it again",
        )
    finally:
        dead.unlink()
        home.rmdir()
    assert (await examined(spaced_shell, ""))["well"]


@asynchronous
async def test_the_doctor_looks_at_the_database(
    empty_shell: Shell, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "database: empty" in (await empty_shell.outcome("doctor")).text
    assert "database: answers, schema" in (await shell.outcome("doctor")).text
    shell.sql("DELETE FROM schema_migrations WHERE version = (SELECT max(version) FROM schema_migrations)")
    old = await shell.outcome("doctor")
    assert (old.failed, "1 migrations are not applied" in old.text) == (True, True)
    monkeypatch.setattr(opening, "PATIENCE", 0.2)
    away = Shell(shell.dsn.replace("dbname=", "port=1 dbname="), shell.directory)
    gone = await away.outcome("doctor")
    assert (gone.failed, "TROUBLE database" in gone.text) == (True, True)
