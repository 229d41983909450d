"""Mails and SMS in files that nobody but us can read, where there is no server for them."""

from __future__ import annotations

from pathlib import Path

from attrs import frozen
from twisted.internet.threads import deferToThread
from twisted.logger import Logger

from flexid.domain.mail import Letter
from flexid.domain.outbox import Undelivered
from flexid.domain.sms import ShortMessage


@frozen
class MailFiles:
    """Writes each mail into a folder, as `<reference>.eml`."""

    log = Logger()

    folder: Path

    async def send(self, letter: Letter) -> str:
        """Write a mail, and return where to; the same mail once more replaces its file.

        :raise Undelivered: the file cannot be written.
        """
        path = self.folder / f"{letter.reference}.eml"
        await _write(path, letter.content)
        self.log.info("There is no mail server, a mail was written to {path}", event="mail.written", path=str(path))
        return str(path)


@frozen
class SmsFiles:
    """Writes each SMS into a folder, as `<reference>-<number>.txt`: its text, and nothing else."""

    log = Logger()

    folder: Path

    async def send(self, message: ShortMessage) -> None:
        """Write an SMS; the same SMS once more replaces its file.

        :raise Undelivered: the file cannot be written.
        """
        path = self.folder / f"{message.reference}-{message.recipient}.txt"
        await _write(path, message.text.encode())
        self.log.info("There is no SMS provider, an SMS was written to {path}", event="sms.written", path=str(path))


async def _write(path: Path, content: bytes) -> None:
    try:
        await deferToThread(_write_now, path, content)
    except OSError as error:
        raise Undelivered(f"{path}: {error.strerror}") from None


def _write_now(path: Path, content: bytes) -> None:
    """Write a whole file or none."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.new")
    fresh.touch(mode=0o600)
    fresh.write_bytes(content)
    fresh.replace(path)
