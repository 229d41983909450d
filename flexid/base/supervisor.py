"""Whoever started us and wants to hear how we are: systemd, or another that speaks its protocol (sd_notify(3))."""

from __future__ import annotations

import socket
from collections.abc import Callable

from attrs import define, field

from flexid.base.clock import monotonic_microseconds


@define
class Supervisor:
    """What listens at the address that `$NOTIFY_SOCKET` names; nobody where it is empty."""

    address: str = ""
    _microseconds: Callable[[], int] = monotonic_microseconds
    _is_ready: bool = field(default=False, init=False)

    def ready(self, status: str) -> None:
        """Say that we serve, and a line for who asks."""
        self._is_ready = True
        self._tell("READY=1", f"STATUS={status}")

    def reloading(self) -> None:
        """Say that we begin to read files again; until we serve there is nothing that could be read again."""
        if self._is_ready:
            # The moment tells a reload that was asked for from one before it.
            self._tell("RELOADING=1", f"MONOTONIC_USEC={self._microseconds()}")

    def reloaded(self) -> None:
        """Say that the files were read."""
        if self._is_ready:
            self._tell("READY=1")

    def stopping(self) -> None:
        """Say that we are about to end."""
        self._is_ready = False
        self._tell("STOPPING=1", "STATUS=Finishing what was asked for")

    def _tell(self, *lines: str) -> None:
        if not self.address:
            return
        # A name that begins with @ is none of a file.
        name = f"\0{self.address[1:]}" if self.address.startswith("@") else self.address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as messenger:
            messenger.settimeout(0)
            # Who started us may be gone or deaf; that must not end us.
            try:
                messenger.sendto("\n".join(lines).encode(), name)
            except OSError:
                return
