from __future__ import annotations

from commands.conftest import Shell
from support.reactor import asynchronous

FILE = """
    INSERT INTO account_files (account_id, content_type, name, size, uploaded_at, created_at)
    SELECT id, 'audio/wav', 'a.wav', 9, now(), now() - interval '{days} days' FROM accounts WHERE username = '{owner}'
"""


async def has_files(shell: Shell) -> None:
    """Two voicemails of somebody with an email address, and one of somebody without."""
    shell.sql(
        "INSERT INTO accounts (username, domain, email)"
        " VALUES ('alice', 'localhost', 'alice@example.org'), ('bob', 'localhost', NULL)"
    )
    for days, owner in ((2, "alice"), (40, "alice"), (50, "bob")):
        shell.sql(FILE.format(days=days, owner=owner))


@asynchronous
async def test_old_files_are_counted_and_deleted_only_if_told_so(spaced_shell: Shell) -> None:
    await has_files(spaced_shell)
    assert await spaced_shell.type("accounts", "clear-files", "30") == {"found": 2, "cleared": 0}
    assert await spaced_shell.type("accounts:clear-files", "30", "--apply") == {"found": 2, "cleared": 2}
    assert len(spaced_shell.sql("SELECT id FROM account_files")) == 1
    assert await spaced_shell.type("accounts", "clear-files", "30") == {"found": 0, "cleared": 0}


@asynchronous
async def test_mails_are_written_once_for_voicemails_that_nobody_was_told_of(spaced_shell: Shell) -> None:
    await has_files(spaced_shell)
    assert await spaced_shell.type("accounts", "send-voicemail-emails") == {"written": 2}
    assert await spaced_shell.type("accounts:send-voicemails-emails") == {"written": 0}
    assert spaced_shell.sql("SELECT payload->>'to' FROM outbox") == [("alice@example.org",)] * 2
