from __future__ import annotations

import tomllib

import pytest
from commands.conftest import Shell
from support.reactor import asynchronous

from flexid.base.settings import Settings
from flexid.commands.command import Problem

ENV = """
APP_NAME="My service"
APP_URL=https://Accounts.example.org:8443
APP_KEY=base64:secret
LOG_LEVEL=warning
DB_CONNECTION=mysql
DB_HOST=db.example.org
DB_DATABASE=fam
DB_USERNAME=fam
DB_PASSWORD=topsecret
MAIL_HOST=mail.example.org
MAIL_PORT=587
MAIL_USERNAME=me@example.org
MAIL_PASSWORD='p@ss word'
MAIL_ENCRYPTION=tls
MAIL_FROM_ADDRESS=no-reply@example.org
MAIL_FROM_NAME="${APP_NAME}"
SESSION_LIFETIME=30
CACHE_DRIVER=file
BLOCKING_TIME_PERIOD_CHECK=15
BLOCKING_AMOUNT_EVENTS_AUTHORIZED_DURING_PERIOD=many
SOMETHING_ELSE=secret
NEWSLETTER_REGISTRATION_ADDRESS=news@example.org
DISABLE_CHAT_FEATURE=true
MAX_ACCOUNT=3
"""


def written(shell: Shell, text: str = ENV) -> str:
    path = shell.directory / ".env"
    path.write_text(text)
    return str(path)


@asynchronous
async def test_settings_become_ours_and_the_rest_is_named(shell: Shell) -> None:
    said = (await shell.outcome("config", "from-dotenv", written(shell))).text
    settings = tomllib.loads(said)
    assert settings == {
        "root_host": "accounts.example.org",
        "blocking": {"time_period_check": 15},
        "lifetimes": {"session": 30},
        "log": {"level": "warn"},
        "mail": {
            "from_address": "no-reply@example.org",
            "url": "smtp://me%40example.org:p%40ss%20word@mail.example.org:587?tls=starttls",
        },
        "public": {"port": 8443, "scheme": "https"},
    }
    Settings.model_validate(settings)
    for note in (
        "# SOMETHING_ELSE: unknown here",
        "# CACHE_DRIVER: nothing here needs it",
        "# blocking.amount_events_authorized_during_period: Input should be a valid integer",
        "# DB_…: its database is moved by: flexid import-upstream mysql://fam:PASSWORD@db.example.org/fam",
    ):
        assert note in said
    assert "topsecret" not in said
    assert "base64" not in said


@pytest.mark.parametrize(
    ("said", "url"),
    [
        ("MAIL_PORT=465\nMAIL_USERNAME=u\nMAIL_PASSWORD=p", "smtps://u:p@m.example.org:465"),
        ("MAIL_PORT=25\nMAIL_USERNAME=null", "smtp://m.example.org:25?tls=none"),
    ],
)
@asynchronous
async def test_mail_goes_as_it_went(shell: Shell, said: str, url: str) -> None:
    path = written(shell, f"MAIL_HOST=m.example.org\n{said}")
    assert (await shell.type("config", "from-dotenv", path))["settings"] == {"mail": {"url": url}}


@pytest.mark.parametrize(("text", "reason"), [("A=1\nwhat", "line 2"), (None, "No such file")])
@asynchronous
async def test_a_file_that_cannot_be_read_is_named(shell: Shell, text: str | None, reason: str) -> None:
    path = written(shell, text) if text else str(shell.directory / "nothing")
    with pytest.raises(Problem, match=reason):
        await shell.type("config", "from-dotenv", path)


@asynchronous
async def test_what_a_file_says_of_a_space_is_shown_and_set(spaced_shell: Shell) -> None:
    path = written(spaced_shell)
    with pytest.raises(Problem, match=r"(?s)disable_chat_feature: False becomes True.*say --yes"):
        await spaced_shell.type("spaces", "import-dotenv", "localhost", path)
    assert spaced_shell.sql("SELECT disable_chat_feature FROM spaces") == [(False,)]
    said = await spaced_shell.type("spaces:import-configuration-from-dot-env", "localhost", path, "--yes")
    assert said["changed"] == {
        "newsletter_registration_address": "news@example.org", "disable_chat_feature": True, "max_account": 3
    }  # fmt: skip
    assert "SOMETHING_ELSE" in said["unused"]
    assert spaced_shell.sql("SELECT disable_chat_feature, max_account FROM spaces") == [(True, 3)]
    assert spaced_shell.sql("SELECT host, port, username, password, from_name FROM space_email_servers") == [
        ("mail.example.org", 587, "me@example.org", "p@ss word", "My service")
    ]


@pytest.mark.parametrize("text", ["DISABLE_CHAT_FEATURE=maybe", "MAX_ACCOUNT=-1", "MAIL_HOST=m\nMAIL_PORT=x", "A=1"])
@asynchronous
async def test_values_that_fit_no_field_are_refused(spaced_shell: Shell, text: str) -> None:
    with pytest.raises(Problem):
        await spaced_shell.type("spaces", "import-dotenv", "localhost", written(spaced_shell, text), "--yes")
