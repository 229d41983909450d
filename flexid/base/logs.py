"""Logs: text on a terminal, one JSON object a line elsewhere; never a secret."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TextIO

import orjson
from twisted.logger import (
    FilteringLogObserver,
    ILogObserver,
    LogEvent,
    LogLevel,
    LogLevelFilterPredicate,
    eventAsText,
)
from zope.interface import implementer

from flexid.base.settings import Logging

SECRET = re.compile(r"(^|_)(passwords?|hash|ha1|secret|token|code|nonce|opaque|key|authorization|cookie)$", re.IGNORECASE)
"""Names of values that are never written, whoever logs them by mistake."""
MASK = "***"
OWN = "flexid"
"""The namespace of our own loggers; of other libraries only warnings are of interest."""


def observer(stream: TextIO, settings: Logging) -> ILogObserver:
    """Return what writes events of the configured level and above to a stream."""
    as_text = settings.format == "text" or (settings.format == "auto" and stream.isatty())
    level = LogLevel.levelWithName(settings.level)
    predicate = LogLevelFilterPredicate(defaultLogLevel=max(level, LogLevel.warn) if level > LogLevel.debug else level)
    predicate.setLogLevelForNamespace(OWN, level)
    return FilteringLogObserver(_Lines(stream, as_text=as_text), [predicate])


@implementer(ILogObserver)
class _Lines:
    """Writes one line for each event; in text, a traceback follows on further ones."""

    def __init__(self, stream: TextIO, *, as_text: bool) -> None:
        self._stream = stream
        self._as_text = as_text

    def __call__(self, event: LogEvent) -> None:
        masked = {name: MASK if SECRET.search(name) else value for name, value in event.items()}
        line = _text(masked) if self._as_text else _json(masked)
        try:
            self._stream.write(line + "\n")
            self._stream.flush()
        except OSError:
            # Nobody reads any more, or the disk is full; serving goes on.
            return


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
