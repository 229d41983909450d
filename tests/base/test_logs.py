"""Logs are read by people on a terminal and by programs elsewhere, and hold no secrets."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from twisted.logger import Logger
from twisted.python.failure import Failure

from flexid.base.logs import Lines, request_id
from flexid.base.relevel import LogLevel
from flexid.base.settings import Logging


def logger(namespace: str = "flexid.test", *, on_terminal: bool = False, **settings: str) -> tuple[Logger, io.StringIO]:
    stream = io.StringIO()
    observer: Any = Lines(stream, Logging(**settings), on_terminal=on_terminal)
    return Logger(namespace, observer=observer), stream


def lines(stream: io.StringIO) -> list[Any]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_terminal_gets_text_and_anything_else_json() -> None:
    log, stream = logger(on_terminal=True)
    log.info("Hello {name}", name="Bob")
    assert stream.getvalue().endswith("Z info     Hello Bob\n")
    log, stream = logger()
    log.info("Hello {name}", name="Bob")
    (line,) = lines(stream)
    assert line.pop("time").endswith("Z")
    assert line == {"level": "info", "source": "flexid.test", "message": "Hello Bob", "name": "Bob"}


def test_the_format_can_be_fixed() -> None:
    log, stream = logger(on_terminal=True, format="json")
    log.info("Hello")
    assert lines(stream)[0]["message"] == "Hello"


@pytest.mark.parametrize("level", ["debug", "info", "warn", "error"])
def test_levels_below_the_configured_one_are_left_out(level: str) -> None:
    log, stream = logger(level=level)
    for name in ("debug", "info", "warn", "error"):
        getattr(log, name)("said")
    assert lines(stream)[0]["level"] == level


def test_of_other_libraries_only_warnings_are_of_interest() -> None:
    log, stream = logger("twisted.internet")
    log.info("Starting factory")
    log.warn("Careful")
    assert [line["message"] for line in lines(stream)] == ["Careful"]


@pytest.mark.parametrize("name", ["password", "api_key", "token", "code", "ha1", "key_hash", "Authorization"])
@pytest.mark.parametrize("output", ["text", "json"])
def test_a_secret_is_masked_whoever_logs_it(name: str, output: str) -> None:
    log, stream = logger(format=output)
    told = {name: "s3cret"}
    log.info(f"It is {{{name}}}", **told)  # noqa: G004  # a format for the logger
    assert "s3cret" not in stream.getvalue()
    assert "***" in stream.getvalue()


def test_a_failure_comes_with_its_traceback() -> None:
    failure = Failure(RuntimeError("broken"))
    log, stream = logger()
    log.failure("It failed", failure)
    assert "RuntimeError: broken" in lines(stream)[0]["traceback"]
    log, stream = logger(format="text")
    log.failure("It failed", failure)
    assert "RuntimeError: broken" in stream.getvalue()


def test_a_full_disk_stops_nothing() -> None:
    class Full(io.StringIO):
        def write(self, _: str) -> int:
            raise OSError(28, "No space left on device")

    observer: Any = Lines(Full(), Logging(), on_terminal=False)
    Logger("flexid.test", observer=observer).error("lost")


def test_the_level_is_read_again_from_the_file_and_a_broken_one_changes_nothing(tmp_path: Path) -> None:
    file, stream = tmp_path / "flexid.toml", io.StringIO()
    observer: Any = Lines(stream, Logging(level="warn", format="json"), on_terminal=False)
    log, level = Logger("flexid.test", observer=observer), LogLevel(observer, {}, str(file))
    file.write_text('[log]\nlevel = "debug"\n')
    level.read()
    log.debug("now heard")
    assert [line["message"] for line in lines(stream)] == ["now heard"]
    file.write_text('[log]\nlevel = "loud"\n')
    level.read()
    log.debug("still heard")
    assert lines(stream)[-1]["message"] == "still heard"
    level = LogLevel(observer, {"FLEXID_LOG_LEVEL": "error"}, str(file))
    level.read()
    log.warn("no longer heard")
    assert lines(stream)[-1]["message"] == "still heard"


def test_what_a_request_logs_carries_its_id() -> None:
    log, stream = logger()
    token = request_id.set("request-1")
    try:
        log.info("said")
    finally:
        request_id.reset(token)
    log.info("said later")
    assert [line.get("request_id") for line in lines(stream)] == ["request-1", None]
