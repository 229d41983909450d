from __future__ import annotations

import io

import pytest
from commands.conftest import Shell
from pytest_twisted import ensureDeferred
from support.reactor import asynchronous, reactor

from flexid.base.clock import Clock
from flexid.base.settings import HousekeepingSettings
from flexid.commands import clearance as commands
from flexid.commands.progress import bar
from flexid.services.clearance import Clearance
from flexid.store import clearance
from flexid.store.database import Database

ACCOUNT = """
    INSERT INTO accounts (username, domain, activated, admin, created_at)
    VALUES ('{name}', 'localhost', {activated}, {admin}, now() - interval '{days} days')
"""


def has_accounts(shell: Shell) -> None:
    """Old and new ones, confirmed and not, and an administrator who never confirmed anything."""
    for name, activated, admin, days in (
        ("old", False, False, 40),
        ("new", False, False, 2),
        ("confirmed", True, False, 40),
        ("boss", False, True, 400),
    ):
        shell.sql(ACCOUNT.format(name=name, activated=activated, admin=admin, days=days))


def usernames(shell: Shell) -> list[str]:
    return [name for (name,) in shell.sql("SELECT username FROM accounts ORDER BY username")]


@asynchronous
async def test_unconfirmed_accounts_are_counted_and_deleted_only_if_told_so(spaced_shell: Shell) -> None:
    has_accounts(spaced_shell)
    assert await spaced_shell.type("accounts", "clear-unconfirmed", "30") == {"found": 1, "cleared": 0}
    assert await spaced_shell.type("accounts:clear-unconfirmed", "30", "--apply") == {"found": 1, "cleared": 1}
    assert usernames(spaced_shell) == ["boss", "confirmed", "new"]
    assert spaced_shell.sql("SELECT name FROM account_names WHERE name = 'old'") == []


@asynchronous
async def test_confirmed_accounts_go_too_if_told_so_but_no_administrators(spaced_shell: Shell) -> None:
    has_accounts(spaced_shell)
    said = await spaced_shell.outcome("accounts", "clear-unconfirmed", "30", "--and-confirmed")
    assert (said.text, said.data) == ("2 accounts would be deleted, by --apply", {"found": 2, "cleared": 0})
    await spaced_shell.type("accounts", "clear-unconfirmed", "30", "--and-confirmed", "--apply")
    assert usernames(spaced_shell) == ["boss", "new"]


@asynchronous
async def test_what_cleared_accounts_sent_goes_with_them(spaced_shell: Shell) -> None:
    has_accounts(spaced_shell)
    for sender in ("old", "new"):
        spaced_shell.sql(
            "INSERT INTO statistics_calls (id, from_username, from_domain, to_username, to_domain, initiated_at)"
            f" VALUES ('{sender}', '{sender}', 'localhost', 'x', 'localhost', now())"
        )
    await spaced_shell.type("accounts", "clear-unconfirmed", "30", "--apply")
    assert spaced_shell.sql("SELECT id FROM statistics_calls") == [("new",)]


@asynchronous
async def test_more_than_a_batch_is_cleared(spaced_shell: Shell) -> None:
    spaced_shell.sql(
        "INSERT INTO accounts (username, domain, created_at)"
        f" SELECT 'user' || n, 'localhost', '2020-01-01' FROM generate_series(1, {clearance.AT_ONCE + 5}) n"
    )
    everybody = clearance.AT_ONCE + 5
    said = await spaced_shell.type("accounts", "clear-unconfirmed", "1", "--apply")
    assert said == {"found": everybody, "cleared": everybody}


@asynchronous
async def test_old_tombstones_free_their_names(spaced_shell: Shell) -> None:
    for name, days in (("long", 40), ("lately", 2)):
        spaced_shell.sql(
            "INSERT INTO account_names (domain, name, kind, created_at)"
            f" VALUES ('localhost', '{name}', 'tombstone', now() - interval '{days} days')"
        )
    spaced_shell.sql(ACCOUNT.format(name="alive", activated=True, admin=False, days=100))
    assert await spaced_shell.type("accounts", "clear-tombstones", "30") == {"found": 1, "cleared": 0}
    assert await spaced_shell.type("accounts:clear-accounts-tombstones", "30", "--apply") == {"found": 1, "cleared": 1}
    assert spaced_shell.sql("SELECT name FROM account_names ORDER BY name") == [("alive",), ("lately",)]


@asynchronous
async def test_old_calls_and_messages_are_cleared_with_their_devices(spaced_shell: Shell) -> None:
    for name, days in (("long", 40), ("lately", 2)):
        spaced_shell.sql(
            "INSERT INTO statistics_calls (id, from_username, from_domain, to_username, to_domain, initiated_at)"
            f" VALUES ('{name}', 'a', 'x', 'b', 'x', now() - interval '{days} days');"
            f"INSERT INTO statistics_call_devices (call_id, device_id) VALUES ('{name}', 'd');"
            "INSERT INTO statistics_messages (id, from_username, from_domain, sent_at)"
            f" VALUES ('{name}', 'a', 'x', now() - interval '{days} days')"
        )
    assert await spaced_shell.type("statistics", "clear", "30") == {"found": 2, "cleared": 0}
    assert await spaced_shell.type("app:clear-statistics", "30", "--apply") == {"found": 2, "cleared": 2}
    for table in ("statistics_calls", "statistics_messages"):
        assert spaced_shell.sql(f"SELECT id FROM {table}") == [("lately",)]
    assert spaced_shell.sql("SELECT call_id FROM statistics_call_devices") == [("lately",)]


@pytest.mark.parametrize(
    ("settings", "left"),
    [({}, ["boss", "confirmed", "new", "old"]), ({"unconfirmed_accounts_days": 30}, ["boss", "confirmed", "new"])],
)
@ensureDeferred
async def test_timers_clear_what_the_settings_say_and_nothing_else(
    spaced_shell: Shell, settings: dict[str, int], left: list[str]
) -> None:
    has_accounts(spaced_shell)
    spaced_shell.sql(
        "INSERT INTO account_names (domain, name, kind, created_at)"
        " VALUES ('localhost', 't', 'tombstone', '2020-01-01')"
    )
    database = Database(reactor, spaced_shell.dsn, 2)
    await database.start()
    use_cases = Clearance(database, Clock(), HousekeepingSettings(**settings))
    cleared = [
        await use_cases.clear_accounts_by_settings(),
        await use_cases.clear_tombstones_by_settings(),
        await use_cases.clear_statistics_by_settings(),
    ]
    await database.stop()
    assert cleared == [1 if settings else 0, 0, 0]
    assert usernames(spaced_shell) == left


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_is_drawn_on_a_terminal_only() -> None:
    terminal, file = Terminal(), io.StringIO()
    for stream in (terminal, file):
        draw = bar(200, "deleted", stream)
        draw(100)
        draw(200)
    assert file.getvalue() == ""
    assert "50 % deleted" in terminal.getvalue()
    assert terminal.getvalue().endswith("100 % deleted\x1b[K\n")


@asynchronous
async def test_batches_move_the_bar(spaced_shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[tuple[int, int]] = []
    monkeypatch.setattr(commands, "bar", lambda total, _: lambda done: drawn.append((done, total)))
    has_accounts(spaced_shell)
    await spaced_shell.type("accounts", "clear-unconfirmed", "30", "--apply")
    assert drawn == [(1, 1)]
