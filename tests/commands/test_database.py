from __future__ import annotations

import stat

import psycopg2
import pytest
from commands.conftest import Shell
from support.postgres import Postgres
from support.reactor import asynchronous

from flexid.domain.errors import DomainError
from flexid.store.backups import BackupFailed, tools
from flexid.store.migrations import SchemaMismatch, shipped


@asynchronous
async def test_migrating_an_empty_database_applies_everything_once(empty_shell: Shell) -> None:
    names = [str(step) for step in shipped()]
    assert (await empty_shell.type("db", "status"))["pending"] == names
    assert await empty_shell.type("db", "migrate") == {"applied": names}
    assert await empty_shell.type("db", "migrate") == {"applied": []}
    status = await empty_shell.type("db", "status")
    assert (status["schema"], status["pending"], status["server"]) == (len(names), [], "external")


@asynchronous
async def test_countries_come_with_the_schema_and_none_is_active(empty_shell: Shell) -> None:
    await empty_shell.type("db", "migrate")
    assert empty_shell.sql("SELECT count(*) > 200, bool_or(activated) FROM phone_countries") == [(True, False)]


@asynchronous
async def test_other_commands_make_the_schema_of_an_empty_database(empty_shell: Shell) -> None:
    await empty_shell.type("spaces", "create-update", "localhost", "localhost")
    assert (await empty_shell.type("db", "status"))["pending"] == []


@asynchronous
async def test_other_commands_leave_an_older_schema_alone(shell: Shell) -> None:
    shell.sql("DELETE FROM schema_migrations WHERE version > 1")
    with pytest.raises(SchemaMismatch, match="flexid db migrate"):
        await shell.type("nonces", "clear", "5")


@asynchronous
async def test_a_database_that_is_away_is_said_in_one_line(shell: Shell) -> None:
    with pytest.raises(DomainError, match="does not answer"):
        await Shell("host=/nowhere", shell.directory).type("db", "status")


@asynchronous
async def test_a_backup_brings_everything_back(spaced_shell: Shell) -> None:
    made = await spaced_shell.type("accounts", "create-admin")
    spaced_shell.sql("INSERT INTO account_names (domain, name, kind) VALUES ('localhost', 'gone', 'tombstone')")
    file = spaced_shell.directory / "backup"
    written = await spaced_shell.type("db", "backup", str(file))
    assert written["size"] == file.stat().st_size
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    spaced_shell.sql("DELETE FROM spaces")
    await spaced_shell.type("db", "restore", "--yes", str(file))
    assert spaced_shell.sql("SELECT id, username FROM accounts") == [(made["id"], "admin")]
    assert spaced_shell.sql("SELECT name FROM account_names ORDER BY name") == [("admin",), ("gone",)]
    assert (await spaced_shell.type("accounts", "create-admin", "-u", "bob"))["id"] == made["id"] + 1


@asynchronous
async def test_a_backup_fills_an_empty_database(spaced_shell: Shell, empty_shell: Shell) -> None:
    file = spaced_shell.directory / "backup"
    await spaced_shell.type("db", "backup", str(file))
    await empty_shell.type("db", "restore", "--yes", str(file))
    assert empty_shell.sql("SELECT domain FROM spaces") == [("localhost",)]


@asynchronous
async def test_a_backup_of_a_newer_flexid_is_refused(spaced_shell: Shell, empty_shell: Shell) -> None:
    spaced_shell.sql("INSERT INTO schema_migrations VALUES (9999, 'later', '')")
    file = spaced_shell.directory / "backup"
    await spaced_shell.type("db", "backup", str(file))
    with pytest.raises(SchemaMismatch, match="9999_later"):
        await empty_shell.type("db", "restore", "--yes", str(file))
    assert empty_shell.sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]


@asynchronous
async def test_a_backup_that_was_cut_off_changes_nothing(spaced_shell: Shell) -> None:
    file = spaced_shell.directory / "backup"
    await spaced_shell.type("db", "backup", str(file))
    whole = file.read_bytes()
    await spaced_shell.type("spaces", "create-update", "later.org", "later.localhost")
    for length in (100, len(whole) * 9 // 10):
        file.write_bytes(whole[:length])
        with pytest.raises(BackupFailed):
            await spaced_shell.type("db", "restore", "--yes", str(file))
        assert spaced_shell.sql("SELECT count(*) FROM spaces") == [(2,)]


@asynchronous
async def test_another_file_is_no_backup(spaced_shell: Shell) -> None:
    file = spaced_shell.directory / "backup"
    file.write_text("something else")
    for path in (file, spaced_shell.directory / "nothing"):
        with pytest.raises(BackupFailed):
            await spaced_shell.type("db", "restore", "--yes", str(path))


@asynchronous
async def test_a_backup_that_cannot_be_written_leaves_the_older_one(spaced_shell: Shell) -> None:
    with pytest.raises(BackupFailed, match="No such file"):
        await spaced_shell.type("db", "backup", str(spaced_shell.directory / "nowhere" / "backup"))


@asynchronous
async def test_a_backup_of_ours_goes_to_an_older_server(spaced_shell: Shell, debian_postgres: Postgres) -> None:
    file = spaced_shell.directory / "backup"
    await spaced_shell.type("db", "backup", str(file))
    older = Shell(debian_postgres.create_database(), spaced_shell.directory)
    await older.type("db", "restore", "--yes", str(file))
    assert older.sql("SELECT domain FROM spaces") == [("localhost",)]
    debian_postgres.drop_database(older.dsn)


def test_passwords_never_stand_on_a_command_line() -> None:
    found = tools("postgresql://bob:s3cret@db.example.org/flexid", 180000, {})
    assert "s3cret" not in found.dsn
    assert "s3cret" not in repr(found)
    assert found.environment["PGPASSWORD"] == "s3cret"
    assert psycopg2.extensions.parse_dsn(found.dsn) == {"user": "bob", "host": "db.example.org", "dbname": "flexid"}
