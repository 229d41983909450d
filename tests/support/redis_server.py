"""Debian's Redis, and its Sentinel, in folders of their own."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field

LONGEST_START = 10.0


def free_port() -> int:
    """Return a port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@define
class RedisServer:
    """A server that listens on a UNIX socket, and on whatever its options name."""

    options: tuple[str, ...] = ()
    folder: Path = field(factory=lambda: Path(tempfile.mkdtemp(prefix="redis-")))
    _process: subprocess.Popen[bytes] | None = None

    @property
    def socket(self) -> Path:
        return self.folder / "redis.sock"

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    def start(self) -> None:
        """Start, and wait until it answers."""
        self._process = subprocess.Popen(["redis-server", *self._options()], stdout=subprocess.DEVNULL, cwd=self.folder)
        end = time.monotonic() + LONGEST_START
        while not self._answers():
            assert self._process.poll() is None, "it ended"
            assert time.monotonic() < end, "it does not answer"
            time.sleep(0.01)

    def stop(self) -> None:
        """Kill it; what it kept is gone."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self.socket.unlink(missing_ok=True)

    def freeze(self) -> None:
        """Let it answer nobody, and refuse nobody."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def remove(self) -> None:
        """Stop it, frozen or not, and leave nothing behind."""
        if self._process and self._process.poll() is None:
            self.stop()
        shutil.rmtree(self.folder)

    def ask(self, *command: str | bytes, password: str = "") -> Any:
        """Run a command beside the application; return its answer as `redis-cli` writes it, in lines."""
        signing_in = ["--pass", password, "--no-auth-warning"] if password else []
        asked = ["redis-cli", "-s", str(self.socket), *signing_in, *command]
        return subprocess.run(asked, capture_output=True, check=True, timeout=5).stdout.decode().splitlines()

    @contextmanager
    def heard(self, *channels: str) -> Iterator[list[tuple[str, str]]]:
        """Listen to channels; the list holds what was published on them once the block has ended."""
        published: list[tuple[str, str]] = []
        with socket.socket(socket.AF_UNIX) as ears:
            ears.settimeout(5)
            ears.connect(str(self.socket))
            lines = ears.makefile("rb")
            ears.sendall(_words("SUBSCRIBE", *channels))
            for _ in channels:
                _message(lines)
            yield published
            self.ask("PUBLISH", channels[0], "the end")
            while (message := _message(lines)) != (channels[0], "the end"):
                published.append(message)

    def _options(self) -> list[str]:
        return [
            *("--port", "0", "--unixsocket", str(self.socket), "--dir", str(self.folder)),
            *("--save", "", "--appendonly", "no", *self.options),
        ]

    def _answers(self) -> bool:
        # Any answer, also one that asks for a password.
        try:
            with socket.socket(socket.AF_UNIX) as asking:
                asking.settimeout(1)
                asking.connect(str(self.socket))
                asking.sendall(b"PING\r\n")
                return bool(asking.recv(1))
        except OSError:
            return False

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)


@define
class Sentinel(RedisServer):
    """A Sentinel that watches one server, and is quick to give it up."""

    port: int = 0
    master: int = 0
    password: str = ""

    def _options(self) -> list[str]:
        configuration = self.folder / "sentinel.conf"
        configuration.write_text(
            f"port {self.port}\nbind 127.0.0.1\ndir {self.folder}\nunixsocket {self.socket}\n"
            f"requirepass {self.password}\nsentinel monitor registrar 127.0.0.1 {self.master} 1\n"
            "sentinel down-after-milliseconds registrar 200\nsentinel failover-timeout registrar 2000\n"
        )
        return [str(configuration), "--sentinel"]


@contextmanager
def running(*options: str, server: RedisServer | None = None) -> Iterator[RedisServer]:
    """Run a server for a while."""
    if shutil.which("redis-server") is None:
        pytest.skip("Debian's redis-server is not installed")
    server = server or RedisServer(options)
    try:
        server.start()
        yield server
    finally:
        server.remove()


def contact(uuid: str, updated_at: int = 1_700_000_000, agent: str = "LinphoneAndroid%2F5.2.0%20(Pixel%206)") -> str:
    """Return what Flexisip keeps of a device."""
    return (
        "<sip:alice@192.0.2.7:5061;transport=tls;callid=abc;expires=3600;cseq=20"
        f";updatedAt={updated_at};alias=no;usedAsRoute=no?Path=%3Csip:proxy%3E&accept=text%2Fplain"
        f'&user-agent={agent}>;+sip.instance="<{uuid}>";+org.linphone.specs="lime"'
    )


def _words(*words: str) -> bytes:
    parts = [b"*%d\r\n" % len(words), *(b"$%d\r\n%s\r\n" % (len(word.encode()), word.encode()) for word in words)]
    return b"".join(parts)


def _message(lines: Any) -> tuple[str, str]:
    """Return the channel and the text of what comes next."""
    parts = []
    for _ in range(int(lines.readline()[1:])):
        head = lines.readline()
        parts.append(lines.read(int(head[1:]) + 2)[:-2].decode() if head[:1] == b"$" else head[1:-2].decode())
    return parts[1], parts[2]
