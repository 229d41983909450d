"""What keeps it from running, and what the operator is told."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from store.embedded.handling import (
    ORDINARY_USER,
    Servers,
    answers,
    as_root,
    asynchronous,
    cluster_of,
    command,
    give,
    make_directory,
    mode_of,
    reactor,
    socket_directory,
)

from flexid.domain.errors import Unavailable
from flexid.store.embedded.identity import Runner, name_of_ourselves
from flexid.store.embedded.lock import locked
from flexid.store.embedded.server_log import LARGEST, ServerLog
from flexid.store.embedded.sockets import LONGEST_DIRECTORY, secure_directory
from flexid.store.embedded.sockets import socket_directory as place_of_socket

LONG_NAME = "a-long-name-" * 12


@pytest.fixture
def small_disk(place: Path) -> Iterator[Path]:
    """A disk with room for next to nothing."""
    disk = place / "disk"
    disk.mkdir()
    try:
        command("mount", "-t", "tmpfs", "-o", "size=10m", "flexid-test", str(disk))
    except subprocess.CalledProcessError as problem:
        pytest.skip(f"no disk can be mounted here: {problem}")
    yield disk
    command("umount", str(disk))


@as_root
@asynchronous
async def test_a_full_disk_is_named_and_left_clean(small_disk: Path, servers: Servers) -> None:
    with pytest.raises(Unavailable, match=f"no room .* in {small_disk}.*free some space"):
        await servers(small_disk / "var").start()
    assert list((small_disk / "var").iterdir()) == []


@as_root
@asynchronous
async def test_a_read_only_disk_is_named_for_a_first_start(small_disk: Path, servers: Servers) -> None:
    command("mount", "-o", "remount,ro", str(small_disk))
    with pytest.raises(Unavailable, match=f"cannot write to {small_disk}.*mount it writable"):
        await servers(small_disk / "var").start()


@as_root
@asynchronous
async def test_a_read_only_disk_is_named_for_a_later_start(data_dir: Path, servers: Servers) -> None:
    command("mount", "--bind", str(data_dir), str(data_dir))
    try:
        command("mount", "-o", "remount,bind,ro", str(data_dir))
        with pytest.raises(Unavailable, match=f"cannot write to {cluster_of(data_dir)}.*mount it writable"):
            await servers(data_dir).start()
    finally:
        command("umount", str(data_dir))


@asynchronous
async def test_a_file_in_the_place_of_the_data_directory_is_named(place: Path, servers: Servers) -> None:
    command("touch", str(place / "var"))
    with pytest.raises(Unavailable, match=f"{place}/var .*File exists"):
        await servers(place / "var").start()


@asynchronous
async def test_damaged_data_is_not_written_over(data_dir: Path, servers: Servers) -> None:
    cluster = cluster_of(data_dir)
    command("rm", str(cluster / "global" / "pg_control"))
    with pytest.raises(Unavailable, match=rf"does not run in {cluster} \(.*pg_control"):
        await servers(data_dir).start()


@as_root
@asynchronous
async def test_data_that_changed_hands_is_refused(data_dir: Path, servers: Servers) -> None:
    give(cluster_of(data_dir), "root")
    with pytest.raises(Unavailable, match=f"may not use {cluster_of(data_dir)} .*belongs to another user"):
        await servers(data_dir).start()


@pytest.mark.parametrize("name", [LONG_NAME, "odd, 'quoted' \"name\" @ é"])
@asynchronous
async def test_a_path_that_no_socket_can_have_is_no_hindrance(
    data_dir: Path, place: Path, servers: Servers, name: str
) -> None:
    command("mv", str(data_dir), str(place / name))
    server = servers(place / name)
    dsn = await server.start()
    short = socket_directory(dsn)
    assert answers(dsn)
    assert len(str(short)) < LONGEST_DIRECTORY
    assert mode_of(short) == 0o700
    await server.stop()
    command("rmdir", str(short))


@pytest.fixture
def planted(place: Path, data_dir: Path) -> Iterator[Path]:
    """The socket directory's name, which somebody else may take first."""
    data_dir.rename(place / LONG_NAME)
    cluster = cluster_of(place / LONG_NAME)
    path = place_of_socket(cluster, cluster.stat().st_uid)
    yield path
    if path.is_symlink():
        path.unlink()
    else:
        path.rmdir()


@asynchronous
async def test_a_link_planted_for_the_socket_directory_is_not_followed(
    planted: Path, place: Path, servers: Servers
) -> None:
    private = cluster_of(place / LONG_NAME) / "base"  # all but the link itself is as it should be
    command("ln", "--symbolic", str(private), str(planted))
    with pytest.raises(Unavailable, match=f"{planted} should be a directory of the user .* remove it"):
        await servers(place / LONG_NAME).start()


@asynchronous
async def test_an_open_directory_planted_for_the_socket_is_refused(
    planted: Path, place: Path, servers: Servers
) -> None:
    make_directory(planted, 0o755)
    with pytest.raises(Unavailable, match=f"{planted} should be a directory"):
        await servers(place / LONG_NAME).start()


@as_root
def test_a_directory_of_another_user_is_refused(place: Path) -> None:
    directory = place / "planted"
    directory.mkdir(mode=0o700)
    give(directory, ORDINARY_USER)
    with pytest.raises(Unavailable, match=f"{directory} should be a directory of the user root"):
        secure_directory(directory, Runner(0, 0, "root", from_root=True))


@asynchronous
async def test_a_lock_that_another_keeps_is_named(data_dir: Path) -> None:
    async with locked(reactor, data_dir, 1):
        with pytest.raises(Unavailable, match=f"keeps {data_dir} locked"):
            async with locked(reactor, data_dir, 0.05):
                pass
    async with locked(reactor, data_dir, 0):
        pass


def test_the_server_log_stays_small(tmp_path: Path) -> None:
    log = ServerLog(tmp_path / "postgresql.log", Runner(0, 0, name_of_ourselves(), from_root=False))
    for number in range(10):
        log.write(b"%d" % number * (LARGEST // 3))
    assert {found.name for found in tmp_path.iterdir()} == {"postgresql.log", "postgresql.log.1"}
    assert all(found.stat().st_size <= LARGEST for found in tmp_path.iterdir())
    assert (tmp_path / "postgresql.log").read_bytes().endswith(b"9")


def test_a_server_log_that_cannot_be_written_hurts_nobody(tmp_path: Path) -> None:
    ServerLog(tmp_path / "missing" / "postgresql.log", Runner(0, 0, "", from_root=False)).write(b"lost")
    assert list(tmp_path.iterdir()) == []
