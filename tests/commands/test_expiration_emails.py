from __future__ import annotations

import pytest
from commands.conftest import Shell
from support.reactor import asynchronous

from flexid.commands.main import parse

EXPIRING = (
    "UPDATE spaces SET expire_at = date_trunc('day', now()) + interval '{days} days' WHERE domain = 'localhost';"
    "INSERT INTO accounts (username, domain, email, admin, activated)"
    " VALUES ('chief', 'localhost', 'chief@example.org', true, true)"
)


@asynchronous
async def test_administrators_are_told_once_of_a_space_that_expires_in_so_many_days(spaced_shell: Shell) -> None:
    spaced_shell.sql(EXPIRING.format(days=3))
    told = await spaced_shell.outcome("spaces", "expiration-emails")
    assert told.data == {"spaces": 1, "written": 1}
    assert told.text == "Wrote 1 mails about 1 Spaces, which the server delivers"
    assert await spaced_shell.type("spaces:expiration-emails") == {"spaces": 0, "written": 0}
    assert spaced_shell.sql("SELECT payload->>'to' FROM outbox") == [("chief@example.org",)]


@asynchronous
async def test_the_days_may_be_others(spaced_shell: Shell) -> None:
    spaced_shell.sql(EXPIRING.format(days=30))
    assert await spaced_shell.type("spaces", "expiration-emails") == {"spaces": 0, "written": 0}
    assert await spaced_shell.type("spaces", "expiration-emails", "60, 30,7") == {"spaces": 1, "written": 1}


@pytest.mark.parametrize("days", ["", "seven", "7;3", "-1", "7,,3"])
def test_what_is_no_list_of_days_is_refused(days: str) -> None:
    with pytest.raises(SystemExit):
        parse(("spaces", "expiration-emails", days))
