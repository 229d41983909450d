"""The server under twistd, and every command as `twistd flexid COMMAND`."""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from twisted.application.service import MultiService
from twisted.logger import ILogObserver
from twisted.python import usage
from twisted.python.logfile import LogFile
from twisted.scripts import twistd

from flexid.base.configuration import Configuration, ConfigurationError, load
from flexid.base.logs import Lines
from flexid.commands.main import FAILED, parse
from flexid.commands.table import RUN


class Options(usage.Options):
    """Reads what stands behind `twistd flexid`, by the rules of `flexid`."""

    config: Path | None = None

    def parseOptions(self, options: Sequence[str] | None = None) -> None:  # noqa: N802  # Twisted's name
        """Remember what the server needs; a command is run here and now.

        twistd has neither forked yet nor begun to log: the command's output and exit code are its own.
        """
        entry, parsed = parse(options or (), default=RUN)
        if entry is not RUN:
            from flexid.commands.running import perform  # noqa: PLC0415  # the server does without

            perform(entry, parsed)
        self.config = parsed.config


class Daemon(MultiService):
    """The server with its logs, as twistd runs it."""

    def __init__(self, observer: Lines | None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Twisted's
        self._observer = observer

    def setServiceParent(self, parent: Any) -> None:  # noqa: N802  # Twisted's name
        """Join the application, which twistd then asks for the observer."""
        super().setServiceParent(parent)  # type: ignore[no-untyped-call]  # Twisted's
        if self._observer:
            parent.setComponent(ILogObserver, self._observer)


def makeService(options: Options) -> Daemon:  # noqa: N802  # Twisted's name
    """Return the server; exits if the configuration is wrong."""
    # twistd hands over no reactor, and commands under twistd do without the server.
    from twisted.internet import reactor  # noqa: PLC0415, TID251

    from flexid.service import FlexidService  # noqa: PLC0415

    configuration = _configuration(options.config)
    daemon = Daemon(_observer(options.parent, configuration))
    stdout = os.dup(1)
    service = FlexidService(
        reactor, configuration, say=lambda text: _say_once(stdout, text), give_up=lambda: _give_up(reactor)
    )
    service.setServiceParent(daemon)  # type: ignore[no-untyped-call]  # Twisted's
    return daemon


def run_in_foreground(config: Path | None) -> NoReturn:
    """Run the server as `twistd -n flexid` does."""
    options = ["--config", str(config)] if config else []
    sys.argv = ["twistd", "--nodaemon", "--pidfile=", "flexid", *options]
    twistd.run()
    sys.exit()


def _configuration(path: Path | None) -> Configuration:
    try:
        return load(os.environ, path)
    except ConfigurationError as error:
        for problem in error.problems:
            sys.stderr.write(f"flexid: {problem}\n")
        sys.exit(FAILED)


def _observer(twistd_options: Any, configuration: Configuration) -> Lines | None:
    """Return what logs where twistd was told to; None where twistd was told how."""
    if twistd_options["syslog"] or twistd_options.get("logger"):
        return None
    path = twistd_options["logfile"]
    settings = configuration.settings.log
    if path == "-" or (twistd_options["nodaemon"] and not path):
        # Standard output is for what the operator must read.
        return Lines(sys.stderr, settings, on_terminal=sys.stderr.isatty())
    return Lines(LogFile.fromFullPath(path or "twistd.log"), settings, on_terminal=False)


def _say_once(descriptor: int, text: str) -> None:
    # The descriptor is a copy that survives daemonizing: a password that is shown once must reach the terminal.
    with suppress(OSError), os.fdopen(descriptor, "w", encoding="utf-8") as stdout:
        stdout.write(text + "\n")


def _give_up(reactor: Any) -> None:
    # twistd would report success.
    atexit.register(os._exit, FAILED)
    reactor.stop()
