"""A SIP server for UDP on the loopback interface that answers MESSAGE requests, and remembers them."""

from __future__ import annotations

import re
import socket
from collections import Counter
from threading import Lock, Thread

from attrs import frozen

ADDRESS = "127.0.0.1"
ANSWERS = {"absent": "404 Not Found", "busy": "486 Busy Here", "server": "500 Server Error", "no": "603 Decline"}
"""By what the user's name begins with; `silent` gets none, everybody else 200."""


@frozen
class Received:
    """A message, once, however often it came."""

    to: str
    text: str
    call_id: str


class AnsweringMachine:
    """Answers from its beginning to its end."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self._socket.bind((ADDRESS, 0))
        self.port: int = self._socket.getsockname()[1]
        self._lock = Lock()
        self._received: list[Received] = []
        self._datagrams: Counter[str] = Counter()
        self._thread = Thread(target=self._serve, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Answer no more."""
        self._socket.sendto(b"", (ADDRESS, self.port))
        self._thread.join()
        self._socket.close()

    def received(self) -> list[Received]:
        """Return all messages, in the order in which they came."""
        with self._lock:
            return [*self._received]

    def texts(self, to: str) -> list[str]:
        """Return what somebody got."""
        return [message.text for message in self.received() if message.to == to]

    def repeated(self) -> int:
        """Return how many datagrams were repetitions of others."""
        with self._lock:
            return self._datagrams.total() - len(self._datagrams)

    def _serve(self) -> None:
        while datagram := self._socket.recvfrom(1 << 16):
            data, sender = datagram
            if not data:
                return
            head, _, body = data.partition(b"\r\n\r\n")
            lines = head.decode(errors="replace").split("\r\n")
            request = re.fullmatch(r"MESSAGE sips?:(\S+) SIP/2\.0", lines[0])
            if request:
                self._take(lines, request[1], body.decode(errors="backslashreplace"), sender)

    def _take(self, lines: list[str], to: str, text: str, sender: tuple[str, int]) -> None:
        call_id = next(line for line in lines if line.startswith("Call-ID:")).partition(": ")[2]
        with self._lock:
            if not self._datagrams[call_id]:
                self._received.append(Received(to, text, call_id))
            self._datagrams[call_id] += 1
        if to.startswith("silent"):
            return
        status = next((answer for name, answer in ANSWERS.items() if to.startswith(name)), "200 OK")
        copied = [line for line in lines if re.match(r"(Via|From|Call-ID|CSeq):", line)]
        copied += [f"{line};tag=machine" for line in lines if line.startswith("To:")]
        answer = "\r\n".join([f"SIP/2.0 {status}", *copied, "Content-Length: 0", "", ""])
        self._socket.sendto(answer.encode(), sender)
