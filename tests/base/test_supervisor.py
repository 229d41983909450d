from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from flexid.base.supervisor import Supervisor


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """What hears us, at `notify` in the working directory."""
    monkeypatch.chdir(tmp_path)  # names of sockets are short
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as hearing:
        hearing.bind("notify")
        hearing.settimeout(0)
        yield hearing


def heard(hearing: socket.socket) -> list[str]:
    lines: list[str] = []
    while True:
        try:
            lines += hearing.recv(4096).decode().split("\n")
        except BlockingIOError:
            return lines


def test_it_hears_that_we_serve_that_we_read_again_and_that_we_stop(systemd: socket.socket) -> None:
    supervisor = Supervisor("notify", lambda: 12)
    supervisor.ready("Ready on http://localhost:8080")
    assert heard(systemd) == ["READY=1", "STATUS=Ready on http://localhost:8080"]
    supervisor.reloading()
    assert heard(systemd) == ["RELOADING=1", "MONOTONIC_USEC=12"]
    supervisor.reloaded()
    assert heard(systemd) == ["READY=1"]
    supervisor.stopping()
    assert heard(systemd)[0] == "STOPPING=1"


def test_who_does_not_serve_yet_says_nothing_of_reading_again(systemd: socket.socket) -> None:
    supervisor = Supervisor("notify")
    supervisor.reloading()
    supervisor.reloaded()
    assert heard(systemd) == []


def test_a_supervisor_without_a_file_is_told_too(tmp_path: Path) -> None:
    name = f"flexid-{tmp_path.name}-{id(tmp_path)}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as hearing:
        hearing.bind(f"\0{name}")
        hearing.settimeout(0)
        Supervisor(f"@{name}").ready("here")
        assert heard(hearing) == ["READY=1", "STATUS=here"]


def test_a_supervisor_that_is_gone_or_was_never_there_troubles_nobody(tmp_path: Path) -> None:
    for address in ("", str(tmp_path / "gone")):
        Supervisor(address).ready("here")
