"""The server under twistd, and every command as `twistd flexid COMMAND`."""

from __future__ import annotations

import atexit
import os
import resource
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from twisted.application.service import MultiService
from twisted.logger import ILogObserver, Logger
from twisted.python import usage
from twisted.python.logfile import LogFile
from twisted.scripts import twistd

from flexid.base import memory
from flexid.base.configuration import Configuration, ConfigurationError, load
from flexid.base.logs import Lines
from flexid.base.relevel import LogLevel
from flexid.base.supervisor import Supervisor
from flexid.commands.main import FAILED, parse
from flexid.commands.table import RUN

MOST_FILES = 1 << 16


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

    def __init__(self, observer: Lines | None, supervisor: Supervisor) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Twisted's
        self._observer = observer
        self._supervisor = supervisor

    def setServiceParent(self, parent: Any) -> None:  # noqa: N802  # Twisted's name
        """Join the application, which twistd then asks for the observer."""
        super().setServiceParent(parent)  # type: ignore[no-untyped-call]  # Twisted's
        if self._observer:
            parent.setComponent(ILogObserver, self._observer)

    def stopService(self) -> Any:  # noqa: N802  # Twisted's name
        """Say that we stop, and stop."""
        self._supervisor.stopping()
        return super().stopService()  # type: ignore[no-untyped-call]  # Twisted's


def makeService(options: Options) -> Daemon:  # noqa: N802  # Twisted's name
    """Return the server; exits if the configuration is wrong."""
    # twistd hands over no reactor, and commands under twistd do without the server.
    from twisted.internet import reactor  # noqa: PLC0415, TID251

    configuration = _configuration(options.config)
    stream = _stream(options.parent)
    # What we start ourselves shall not speak for us.
    supervisor = Supervisor(os.environ.pop("NOTIFY_SOCKET", ""))
    lines = _observer(stream, configuration) if stream else None
    daemon = Daemon(lines, supervisor)
    stdout = os.dup(1)

    def say(addresses: Sequence[str], introduction: str) -> None:
        _say_once(stdout, addresses, introduction)
        supervisor.ready(f"Ready on {', '.join(addresses)}")

    service = _service(
        reactor,
        configuration,
        say,
        lambda: _give_up(reactor),
        None if stream is sys.stderr else _passing_on(stream),
    )
    if lines:
        service.hangup.on("the log level", LogLevel(lines, os.environ, configuration.source).read)
    service.hangup.begins, service.hangup.ends = supervisor.reloading, supervisor.reloaded
    service.setServiceParent(daemon)
    return daemon


def _service(
    reactor: Any,
    configuration: Configuration,
    say: Callable[[Sequence[str], str], None],
    give_up: Callable[[], None],
    log_to: Callable[[bytes], None] | None,
) -> Any:
    """Return the one process, or the parent of several, which does without most of our modules."""
    _allow_many_files()
    if configuration.settings.worker_count == 1:
        memory.starting()
        from flexid.service import FlexidService  # noqa: PLC0415

        return FlexidService(reactor, configuration, say, give_up)
    from flexid.workers import Workers  # noqa: PLC0415

    return Workers(reactor, configuration, os.environ, say=say, give_up=give_up, log_to=log_to)


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


def _stream(twistd_options: Any) -> Any:
    """Return where twistd was told to log; None where it was told how."""
    if twistd_options["syslog"] or twistd_options.get("logger"):
        return None
    path = twistd_options["logfile"]
    if path == "-" or (twistd_options["nodaemon"] and not path):
        # Standard output is for what the operator must read.
        return sys.stderr
    return LogFile.fromFullPath(path or "twistd.log")


def _observer(stream: Any, configuration: Configuration) -> Lines:
    return Lines(stream, configuration.settings.log, on_terminal=stream is sys.stderr and stream.isatty())


def _passing_on(stream: Any) -> Callable[[bytes], None]:
    """Return what takes the lines that other processes of ours log."""
    log = Logger()

    def pass_on(data: bytes) -> None:
        text = data.decode(errors="replace")
        if stream:
            stream.write(text)
            stream.flush()
        else:
            log.info("{text}", text=text.rstrip())

    return pass_on


def _say_once(descriptor: int, addresses: Sequence[str], introduction: str) -> None:
    # The descriptor is a copy that survives daemonizing: a password that is shown once must reach the terminal.
    with suppress(OSError), os.fdopen(descriptor, "w", encoding="utf-8") as stdout:
        stdout.write(f"flexid is ready on {', '.join(addresses)}{introduction}\n")


def _allow_many_files() -> None:
    """A connection is an open file, of which systems often allow a thousand to who does not ask for more."""
    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if most == resource.RLIM_INFINITY else min(MOST_FILES, most)
    if allowed != resource.RLIM_INFINITY:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(allowed, wanted), most))


def _give_up(reactor: Any) -> None:
    # twistd would report success.
    atexit.register(os._exit, FAILED)
    reactor.stop()
