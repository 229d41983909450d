from __future__ import annotations

from commands.conftest import Shell
from support.reactor import asynchronous

KEY = """
    INSERT INTO api_keys (account_id, kind, name, key_hash, key_start, expires_after_last_used_minutes, last_used_at)
    SELECT id, '{kind}', '{name}', sha256('{name}'), '', {minutes}, now() - interval '{unused} minutes' FROM accounts
    WHERE username = '{username}'
"""


async def has_keys(shell: Shell) -> None:
    """Administrator's keys that never expire, or after 5 minutes; users' that expire after 60 minutes, or never."""
    await shell.type("accounts", "create-admin")
    shell.sql("DELETE FROM api_keys; INSERT INTO accounts (username, domain) VALUES ('bob', 'localhost')")
    for kind, name, minutes, username in (
        ("admin", "admin for ever", 0, "admin"),
        ("admin", "admin for 5", 5, "admin"),
        ("user", "user for 60", 60, "admin"),
        ("user", "user for ever", 0, "bob"),
    ):
        shell.sql(KEY.format(kind=kind, name=name, minutes=minutes, username=username, unused=30))


@asynchronous
async def test_keys_go_by_their_own_lifetimes(spaced_shell: Shell) -> None:
    await has_keys(spaced_shell)
    assert await spaced_shell.type("api-keys", "clear") == {"cleared": 1}
    assert spaced_shell.sql("SELECT name FROM api_keys ORDER BY name") == [
        ("admin for ever",),
        ("user for 60",),
        ("user for ever",),
    ]


@asynchronous
async def test_minutes_count_for_the_keys_of_users_only(spaced_shell: Shell) -> None:
    await has_keys(spaced_shell)
    assert await spaced_shell.type("api-keys", "clear", "31") == {"cleared": 1}
    assert await spaced_shell.type("api-keys", "clear", "29") == {"cleared": 2}
    assert spaced_shell.sql("SELECT name FROM api_keys") == [("admin for ever",)]


@asynchronous
async def test_nonces_unused_for_so_long_are_forgotten(spaced_shell: Shell) -> None:
    made = await spaced_shell.type("accounts", "create-admin")
    spaced_shell.sql(
        "INSERT INTO nonces (opaque, account_id, nc, used_at) "
        f"SELECT n, {made['id']}, 1, now() - make_interval(mins => n) FROM generate_series(1, 15000) n"
    )
    assert await spaced_shell.type("nonces", "clear", "10") == {"cleared": 14991}
    assert spaced_shell.sql("SELECT count(*) FROM nonces") == [(9,)]


@asynchronous
async def test_phone_countries_are_mended_and_stay_as_active_as_they_were(shell: Shell) -> None:
    shell.sql("UPDATE phone_countries SET country_code = '0', activated = true WHERE code = 'FR'")
    shell.sql("DELETE FROM phone_countries WHERE code = 'BE'")
    assert await shell.type("phone-countries", "update") == {"changed": 2}
    assert shell.sql("SELECT code, country_code FROM phone_countries WHERE code IN ('BE', 'FR') ORDER BY 1") == [
        ("BE", "32"),
        ("FR", "33"),
    ]
    assert shell.sql("SELECT code FROM phone_countries WHERE activated") == [("FR",)]
