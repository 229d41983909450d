"""Starting, attaching, stopping; all on real servers."""

import os
import signal
from itertools import pairwise
from pathlib import Path

import psycopg2
import pytest
from store.embedded.handling import (
    Servers,
    answers,
    ask,
    asynchronous,
    cluster_of,
    command,
    give,
    mode_of,
    postmaster_pid,
    program_of_the_owner,
    reactor,
    runs,
    server_log,
    socket_directory,
    until,
)
from twisted.internet.defer import ensureDeferred
from twisted.internet.task import LoopingCall

from flexid.domain.errors import Unavailable
from flexid.store.embedded.binaries import find_binaries
from flexid.store.embedded.sockets import is_listening


@asynchronous
async def test_the_first_start_makes_the_database_and_the_directories_above_it(place: Path, servers: Servers) -> None:
    dsn = await servers(place / "not" / "there" / "yet").start()
    assert ask(dsn, "SELECT current_database()") == "flexid"
    assert ask(dsn, "SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = 'flexid'") == "UTF8"
    assert ask(dsn, "SELECT 'é' < 'z'") is False  # by code point
    assert ask(dsn, "SHOW timezone") == "UTC"


@asynchronous
async def test_the_reactor_does_other_things_during_a_first_start(place: Path, servers: Servers) -> None:
    ticks = [reactor.seconds()]
    ticking = LoopingCall(lambda: ticks.append(reactor.seconds()))
    ticking.start(0.001)
    await servers(place / "var").start()
    ticking.stop()
    assert max(after - before for before, after in pairwise(ticks)) < 0.2  # initdb alone takes twice as long


@asynchronous
async def test_what_is_committed_is_written_to_the_disk(data_dir: Path, servers: Servers) -> None:
    dsn = await servers(data_dir).start()
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        assert ask(dsn, f"SHOW {setting}") == "on"


@asynchronous
async def test_only_its_user_can_reach_it(data_dir: Path, servers: Servers) -> None:
    dsn = await servers(data_dir).start()
    assert ask(dsn, "SHOW listen_addresses") == ""
    assert mode_of(socket_directory(dsn)) == 0o700
    assert ask(dsn, "SELECT count(*) FROM pg_hba_file_rules WHERE type <> 'local' AND auth_method <> 'reject'") == 0


@asynchronous
async def test_data_is_there_again_after_a_stop_and_a_start(data_dir: Path, servers: Servers) -> None:
    first = servers(data_dir)
    ask(await first.start(), "CREATE TABLE kept AS SELECT 7 AS value")
    pid = postmaster_pid(data_dir)
    await first.stop()
    assert not runs(pid)
    assert ask(await servers(data_dir).start(), "SELECT value FROM kept") == 7


@asynchronous
async def test_settings_of_our_environment_do_not_reach_it(
    data_dir: Path, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPORT", "1")
    monkeypatch.setenv("PGDATABASE", "template1")
    monkeypatch.setenv("PGOPTIONS", "")
    assert ask(await servers(data_dir).start(), "SELECT current_database()") == "flexid"


@asynchronous
async def test_a_second_one_attaches_and_leaves_the_server_running(data_dir: Path, servers: Servers) -> None:
    dsn = await servers(data_dir).start()
    pid = postmaster_pid(data_dir)
    second = servers(data_dir)
    assert await second.start() == dsn
    await second.stop()
    assert postmaster_pid(data_dir) == pid
    assert answers(dsn)


@asynchronous
async def test_a_server_left_by_others_is_attached_to_where_it_listens(
    data_dir: Path, place: Path, servers: Servers
) -> None:
    cluster = cluster_of(data_dir)
    elsewhere = place / "elsewhere"
    command("install", "--directory", "--mode=0700", str(elsewhere))
    if os.geteuid() == 0:
        give(elsewhere, str(cluster.stat().st_uid))
    postgres = find_binaries().program("postgres")
    with program_of_the_owner(cluster, postgres, "-D", str(cluster), "-k", str(elsewhere), "-h", "") as orphan:
        await until(lambda: is_listening(elsewhere))
        server = servers(data_dir)
        dsn = await server.start()
        assert socket_directory(dsn) == elsewhere
        assert answers(dsn)
        await server.stop()
        assert orphan.poll() is None
        assert answers(dsn)


@asynchronous
async def test_a_server_that_shuts_down_is_waited_for(data_dir: Path, servers: Servers) -> None:
    dsn = await servers(data_dir).start()
    old = postmaster_pid(data_dir)
    connection = psycopg2.connect(dsn)
    os.kill(old, signal.SIGTERM)  # ends when the last connection does
    await until(lambda: "stopping" in pid_file(data_dir).read_text())
    starting = ensureDeferred(servers(data_dir).start())
    reactor.callLater(0.1, connection.close)
    assert answers(await starting)
    assert postmaster_pid(data_dir) != old


def pid_file(data_dir: Path) -> Path:
    return cluster_of(data_dir) / "postmaster.pid"


def write_lock_files(data_dir: Path, content: str, pid: int) -> None:
    """Write both lock files of a server as its owner would have."""
    cluster = cluster_of(data_dir)
    for name in ("postmaster.pid", ".s.PGSQL.5432.lock"):
        (cluster / name).write_text(content.format(pid=pid, cluster=cluster))
        os.chown(cluster / name, cluster.stat().st_uid, cluster.stat().st_gid)


WHOLE_PID_FILE = "{pid}\n{cluster}\n1700000000\n5432\n{cluster}\n\n 1 2\nready   \n"


@pytest.mark.parametrize("content", [WHOLE_PID_FILE, "{pid}\n", ""])
@asynchronous
async def test_a_pid_file_is_not_believed_when_another_program_has_the_number(
    data_dir: Path, servers: Servers, content: str
) -> None:
    with program_of_the_owner(cluster_of(data_dir), "sleep", "60") as other:
        write_lock_files(data_dir, content, other.pid)
        assert answers(await servers(data_dir).start())
        assert postmaster_pid(data_dir) != other.pid


@asynchronous
async def test_a_pid_file_of_a_process_that_is_gone_is_replaced(data_dir: Path, servers: Servers) -> None:
    with program_of_the_owner(cluster_of(data_dir), "true") as gone:
        gone.wait()
    write_lock_files(data_dir, WHOLE_PID_FILE, gone.pid)
    assert answers(await servers(data_dir).start())


@asynchronous
async def test_data_of_another_major_version_is_not_passed_over(data_dir: Path, servers: Servers) -> None:
    cluster = cluster_of(data_dir)
    cluster.rename(data_dir / "postgresql-9")
    with pytest.raises(Unavailable, match=f"{data_dir}/postgresql-9 is not of PostgreSQL .* backup"):
        await servers(data_dir).start()
    assert cluster_of(data_dir).name == "postgresql-9"


@asynchronous
async def test_the_server_log_is_beside_the_data(data_dir: Path, servers: Servers) -> None:
    dsn = await servers(data_dir).start()
    with pytest.raises(psycopg2.ProgrammingError):
        ask(dsn, "SELECT nonsense")
    assert "ready to accept connections" in server_log(data_dir)
    assert "nonsense" not in server_log(data_dir)
    assert mode_of(data_dir / "postgresql.log") == 0o600
