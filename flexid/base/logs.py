"""Logs: text on a terminal, one JSON object a line elsewhere; never a secret."""

from __future__ import annotations

import re
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Protocol

import orjson
from twisted.logger import ILogObserver, LogEvent, LogLevel, eventAsText
from zope.interface import implementer

from flexid.base.settings import Logging

SECRET = re.compile(
    r"(^|_)(passwords?|hash|ha1|secret|token|code|nonce|opaque|key|authorization|cookie)$", re.IGNORECASE
)
"""Names of values that are never written, whoever logs them by mistake."""
MASK = "***"
OWN = "flexid"
"""The namespace of our own loggers; of other libraries only warnings are of interest."""


request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""The request that this coroutine answers: whatever it logs is about that one."""


class Stream(Protocol):
    """What can be written to."""

    def write(self, text: str, /) -> object:
        """Write a text."""

    def flush(self) -> object:
        """Let others see it."""


@implementer(ILogObserver)
class Lines:
    """Writes a line for each event of the configured level and above; in text, a traceback follows on further ones."""

    def __init__(self, stream: Stream, settings: Logging, *, on_terminal: bool) -> None:
        self._stream = stream
        self._as_text = settings.format == "text" or (settings.format == "auto" and on_terminal)
        self._level = LogLevel.levelWithName(settings.level)

    def set_level(self, level: str) -> None:
        """Write from now on what is of this level and above."""
        self._level = LogLevel.levelWithName(level)

    def __call__(self, event: LogEvent) -> None:
        """Write an event down, if it is of interest."""
        if not self._is_of_interest(event):
            return
        masked = {name: MASK if SECRET.search(name) else value for name, value in event.items()}
        line = _text(masked) if self._as_text else _json(masked)
        try:
            self._stream.write(line + "\n")
            self._stream.flush()
        except OSError:
            # Nobody reads any more, or the disk is full; serving goes on.
            return

    def _is_of_interest(self, event: LogEvent) -> bool:
        level = event.get("log_level") or LogLevel.info
        own = str(event.get("log_namespace")).partition(".")[0] == OWN
        least = self._level if own or self._level is LogLevel.debug else max(self._level, LogLevel.warn)
        return bool(level >= least)


def _text(event: LogEvent) -> str:
    message = eventAsText(event, includeTimestamp=False, includeSystem=False).rstrip()
    return f"{_time(event)} {_level(event):8} {message}"


def _json(event: LogEvent) -> str:
    failure = event.get("log_failure")
    line = {
        "time": _time(event),
        "level": _level(event),
        "source": event.get("log_namespace"),
        "message": eventAsText(event, includeTraceback=False, includeTimestamp=False, includeSystem=False),
        **{name: value for name, value in event.items() if _is_plain(name, value)},
    }
    if (request := request_id.get()) is not None:
        line["request_id"] = request
    if failure is not None:
        line["traceback"] = failure.getTraceback()
    return orjson.dumps(line, option=orjson.OPT_NON_STR_KEYS).decode()


def _is_plain(name: str, value: object) -> bool:
    """Tell whether a value was given by whoever logged, and has a form in JSON."""
    own = not name.startswith("log_") and name not in {"time", "level", "source", "message", "isError", "format"}
    return own and isinstance(value, str | int | float | bool | None)


def _time(event: LogEvent) -> str:
    moment = datetime.fromtimestamp(event["log_time"], UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _level(event: LogEvent) -> str:
    level = event.get("log_level")
    return str(level.name) if level else "info"
