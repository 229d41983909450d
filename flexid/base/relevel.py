"""Reads the log level again while flexid runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from attrs import frozen
from twisted.logger import Logger

from flexid.base.configuration import DEFAULTS, ConfigurationError, load
from flexid.base.logs import Lines


@frozen
class LogLevel:
    """The level of what is logged, as the file and the environment say it; all other settings stay as they were."""

    log = Logger()

    lines: Lines
    environment: Mapping[str, str]
    source: str
    """The file that the configuration was read from."""

    def read(self) -> None:
        """Log from now on what the file says; a file that cannot be used changes nothing, and is complained of."""
        path = None if self.source == DEFAULTS else Path(self.source)
        try:
            level = load(self.environment, path).settings.log.level
        except ConfigurationError as error:
            # The problems say it all, a traceback nothing more.
            self.log.error(  # noqa: TRY400
                "The log level stays as it was: {problems}", event="log.level_kept", problems="; ".join(error.problems)
            )
            return
        self.lines.set_level(level)
        self.log.warn("From now on logged: {least} and above", event="log.level_read", least=level)
