"""What dies comes back, on the same connection string."""

import os
import signal
from pathlib import Path

import psycopg2
import pytest
from psycopg2.extensions import make_dsn
from store.embedded.handling import (
    ORDINARY_USER,
    Processes,
    Servers,
    answers,
    as_root,
    ask,
    asynchronous,
    cluster_of,
    command,
    give,
    parent_of,
    postmaster_pid,
    program_of_the_owner,
    reactor,
    runs,
    server_log,
    until,
)
from twisted.internet.defer import ensureDeferred

from flexid.store.embedded.binaries import find_binaries
from flexid.store.embedded.processes import pause
from flexid.store.embedded.server import WATCH_SECONDS
from flexid.store.embedded.sockets import is_listening

WELL_AGAIN = 2.0
"""Seconds."""

USERS = [None, pytest.param(ORDINARY_USER, marks=as_root)]


@asynchronous
async def test_a_killed_server_is_back_on_the_same_dsn(data_dir: Path, servers: Servers) -> None:
    dsn = await servers(data_dir).start()
    ask(dsn, "CREATE TABLE acknowledged AS SELECT 7 AS value")
    for _ in range(3):
        connection = psycopg2.connect(dsn)  # its backend holds the shared memory for a moment longer
        os.kill(postmaster_pid(data_dir), signal.SIGKILL)
        await until(lambda: not answers(dsn))
        await until(lambda: answers(dsn), WELL_AGAIN)
        connection.close()
    assert ask(dsn, "SELECT value FROM acknowledged") == 7


@asynchronous
async def test_a_start_waits_for_what_a_killed_server_left_behind(data_dir: Path, servers: Servers) -> None:
    cluster = cluster_of(data_dir)
    postgres = find_binaries().program("postgres")
    with program_of_the_owner(cluster, postgres, "-D", str(cluster), "-k", str(cluster), "-h", "") as old:
        dsn = make_dsn(host=str(cluster), user="flexid")
        await until(lambda: answers(dsn))
        connection = psycopg2.connect(dsn)
        backend = connection.info.backend_pid
        os.kill(backend, signal.SIGSTOP)  # it goes on holding the shared memory
        old.kill()
    starting = ensureDeferred(servers(data_dir).start())
    await until(lambda: "is still in use" in server_log(data_dir))
    os.kill(backend, signal.SIGKILL)
    assert answers(await starting)
    connection.close()


@asynchronous
async def test_one_that_attached_goes_on_when_the_starter_stops(data_dir: Path, servers: Servers) -> None:
    starter = servers(data_dir)
    dsn = await starter.start()
    assert await servers(data_dir).start() == dsn
    old = postmaster_pid(data_dir)
    await starter.stop()
    await until(lambda: answers(dsn), WELL_AGAIN)
    assert postmaster_pid(data_dir) != old


@asynchronous
async def test_after_a_stop_nothing_comes_back(data_dir: Path, servers: Servers) -> None:
    server = servers(data_dir)
    dsn = await server.start()
    os.kill(postmaster_pid(data_dir), signal.SIGKILL)
    await until(lambda: not answers(dsn))
    await server.stop()
    await pause(reactor, 5 * WATCH_SECONDS)  # what does not happen cannot be awaited
    assert not is_listening(cluster_of(data_dir))


@asynchronous
async def test_it_comes_back_when_what_kept_it_down_is_gone(data_dir: Path, servers: Servers) -> None:
    dsn = await servers(data_dir).start()
    cluster = cluster_of(data_dir)
    away = cluster.with_name("away")
    pid = postmaster_pid(data_dir)
    cluster.rename(away)
    os.kill(pid, signal.SIGKILL)
    await until(lambda: "No such file" in server_log(data_dir))
    away.rename(cluster)
    await until(lambda: answers(dsn), WELL_AGAIN)


@pytest.mark.parametrize("user", USERS)
@asynchronous
async def test_two_first_starts_at_once_give_one_server(place: Path, processes: Processes, user: str | None) -> None:
    data_dir = place / "var"
    if user:
        command("install", "--directory", f"--owner={user}", str(data_dir))
    both = [processes.start(data_dir, user=user) for _ in range(2)]
    first, second = (process.dsn() for process in both)
    assert first == second
    assert ask(first, "SELECT current_database()") == "flexid"
    assert parent_of(postmaster_pid(data_dir)) in {process.popen.pid for process in both}


@pytest.mark.parametrize("user", USERS)
@asynchronous
async def test_the_server_ends_cleanly_with_the_process_that_started_it(
    data_dir: Path, processes: Processes, user: str | None
) -> None:
    if user:
        give(data_dir, user)
    killed = processes.start(data_dir, user=user)
    dsn = killed.dsn()
    postmaster = postmaster_pid(data_dir)
    killed.popen.kill()
    await until(lambda: not runs(postmaster))
    assert not answers(dsn)
    again = processes.start(data_dir, user=user)
    assert answers(again.dsn())
    assert "database system was shut down at" in server_log(data_dir).rpartition("starting")[2]


@asynchronous
async def test_a_first_start_that_is_killed_leaves_nothing_half_made(place: Path, processes: Processes) -> None:
    data_dir = place / "var"
    killed = processes.start(data_dir)
    await until((data_dir / "postgresql-18.new" / "PG_VERSION").exists)
    killed.popen.kill()
    killed.popen.wait()
    assert names_in(data_dir) == ["postgresql-18.new"]
    assert answers(processes.start(data_dir).dsn())
    assert names_in(data_dir) == ["postgresql-18", "postgresql.log"]


@asynchronous
async def test_an_interrupt_of_the_terminal_does_not_reach_the_server(data_dir: Path, processes: Processes) -> None:
    starter = processes.start(data_dir)
    dsn = starter.dsn()
    assert os.getpgid(postmaster_pid(data_dir)) != os.getpgid(starter.popen.pid)
    assert answers(dsn)


def names_in(directory: Path) -> list[str]:
    return sorted(found.name for found in directory.iterdir())
